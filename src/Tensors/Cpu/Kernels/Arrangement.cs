using VaeFunctions.Tensors;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>Operations that move elements without computing.</summary>
static class Arrangement
{
    /// <summary>y[i₀, i₁, …] = x with its axis order[a] at iₐ.</summary>
    public static void Transpose(Team team, float[] x, Shape shape, ReadOnlySpan<int> order, float[] y, Shape result)
    {
        if (result.Count == 0) return;
        var strides = shape.Strides();
        int[] extents = result.Axes.ToArray(), steps = new int[result.Rank];
        for (var axis = 0; axis < steps.Length; axis++) steps[axis] = strides[order[axis]];
        int run = result.Rank == 0 ? 1 : extents[^1], step = result.Rank == 0 ? 0 : steps[^1];
        team.ForRange(result.Count / run, Math.Max(1, (1 << 14) / run), (first, count) =>
        {
            for (var index = first; index < first + count; index++)
            {
                var offset = 0;
                for (int axis = extents.Length - 2, rest = index; axis >= 0; rest /= extents[axis--])
                    offset += rest % extents[axis] * steps[axis];
                var target = y.AsSpan(index * run, run);
                for (var i = 0; i < run; i++) target[i] = x[offset + i * step];
            }
        });
    }

    /// <summary>Copies <paramref name="length"/> slices along one axis from one place in x to another in y; the other axes are
    /// equal.</summary>
    public static void CopyAxis(
        float[] x, Shape from, int axis, int sourceStart, float[] y, Shape to, int targetStart, int length)
    {
        var inner = 1;
        for (var i = axis + 1; i < from.Rank; i++) inner *= from[i];
        var outer = 1;
        for (var i = 0; i < axis; i++) outer *= from[i];
        for (var i = 0; i < outer; i++)
        {
            x.AsSpan((i * from[axis] + sourceStart) * inner, length * inner)
                .CopyTo(y.AsSpan((i * to[axis] + targetStart) * inner));
        }
    }
}
