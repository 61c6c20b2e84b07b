using VaeFunctions.Tensors;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>Two operands over one result: spans of one length, or a span and a repeated number.</summary>
interface IBinaryOperation
{
    static abstract void Invoke(ReadOnlySpan<float> left, ReadOnlySpan<float> right, Span<float> result);

    static abstract void Invoke(ReadOnlySpan<float> left, float right, Span<float> result);

    static abstract void Invoke(float left, ReadOnlySpan<float> right, Span<float> result);
}

/// <summary>Applies an operation under NumPy's broadcasting rule: axes that broadcast alike are merged, so that most calls become
/// one long run.</summary>
static class Broadcast
{
    /// <summary>Elements a thread takes at a time.</summary>
    const int Grain = 1 << 14;

    public static void Apply<TOperation>(
        Team team, (float[] Values, Shape Shape) left, (float[] Values, Shape Shape) right, (float[] Values, Shape Shape) result)
        where TOperation : IBinaryOperation
    {
        if (result.Shape.Count == 0) return;
        var (extents, leftStrides, rightStrides) = Merge(left.Shape, right.Shape, result.Shape);
        float[] a = left.Values, b = right.Values, y = result.Values;
        int run = extents[^1], runs = result.Shape.Count / run;
        bool aRepeats = leftStrides[^1] == 0, bRepeats = rightStrides[^1] == 0;
        if (runs == 1) team.ForRange(run, Grain, (start, length) => Run(0, 0, 0, start, length));
        else team.ForRange(runs, Math.Max(1, Grain / run), (first, count) =>
        {
            for (var index = first; index < first + count; index++)
            {
                int aOffset = 0, bOffset = 0;
                for (int axis = extents.Length - 2, rest = index; axis >= 0; rest /= extents[axis--])
                {
                    aOffset += rest % extents[axis] * leftStrides[axis];
                    bOffset += rest % extents[axis] * rightStrides[axis];
                }
                Run(aOffset, bOffset, index * run, 0, run);
            }
        });

        void Run(int aOffset, int bOffset, int yOffset, int start, int length)
        {
            var target = y.AsSpan(yOffset + start, length);
            if (bRepeats && aRepeats) TOperation.Invoke(a.AsSpan(aOffset, 1), b.AsSpan(bOffset, 1), target[..1]);
            else if (bRepeats) TOperation.Invoke(a.AsSpan(aOffset + start, length), b[bOffset], target);
            else if (aRepeats) TOperation.Invoke(a[aOffset], b.AsSpan(bOffset + start, length), target);
            else TOperation.Invoke(a.AsSpan(aOffset + start, length), b.AsSpan(bOffset + start, length), target);
        }
    }

    /// <summary>The result's axes with each operand's stride (0 where it repeats), neighbours that behave alike merged into
    /// one.</summary>
    static (int[] Extents, int[] LeftStrides, int[] RightStrides) Merge(Shape left, Shape right, Shape result)
    {
        List<(int Extent, bool LeftRepeats, bool RightRepeats)> axes = [];
        for (var axis = 0; axis < result.Rank; axis++)
        {
            if (result[axis] == 1) continue;
            var next = (result[axis], Repeats(left, axis), Repeats(right, axis));
            if (axes.Count > 0 && axes[^1].LeftRepeats == next.Item2 && axes[^1].RightRepeats == next.Item3)
                axes[^1] = (axes[^1].Extent * next.Item1, next.Item2, next.Item3);
            else axes.Add(next);
        }
        if (axes.Count == 0) axes.Add((1, false, false));
        int[] extents = [.. axes.Select(axis => axis.Extent)];
        return (extents, Strides(axis => axes[axis].LeftRepeats), Strides(axis => axes[axis].RightRepeats));

        bool Repeats(Shape operand, int axis)
        {
            var own = axis - (result.Rank - operand.Rank);
            return own < 0 || operand[own] == 1;
        }

        int[] Strides(Func<int, bool> repeats)
        {
            var strides = new int[extents.Length];
            for (int axis = extents.Length - 1, stride = 1; axis >= 0; axis--)
            {
                if (repeats(axis)) continue;
                strides[axis] = stride;
                stride *= extents[axis];
            }
            return strides;
        }
    }
}
