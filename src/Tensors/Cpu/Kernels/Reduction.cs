using System.Numerics.Tensors;
using VaeFunctions.Tensors;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>Sums over axes. The order of additions depends on the shape alone, so the result does not depend on the
/// threads.</summary>
static class Reduction
{
    /// <summary>Runs are summed in pieces of this length, whose sums are added in double precision.</summary>
    const int Grain = 1 << 12;

    public static void Sum(Team team, float[] x, Shape shape, ReadOnlySpan<int> axes, float[] y)
    {
        if (shape.Count == 0)
        {
            Array.Clear(y);
            return;
        }
        var merged = Merge(shape, axes);
        if (merged[^1].Reduced && merged.Count == 1) y[0] = SumAll(team, x);
        else if (merged[^1].Reduced) SumRuns(team, x, merged, y);
        else SumLines(team, x, merged, y);
    }

    static float SumAll(Team team, float[] x) => (float)SumOfPieces(team, x, SumRun);

    /// <summary>Σ x²</summary>
    public static double SumOfSquares(Team team, float[] x) => SumOfPieces(team, x, TensorPrimitives.SumOfSquares);

    delegate float Piece(ReadOnlySpan<float> run);

    static double SumOfPieces(Team team, float[] x, Piece sum)
    {
        var partial = new double[(x.Length + Grain - 1) / Grain];
        team.ForRange(partial.Length, 16, (first, count) =>
        {
            for (var piece = first; piece < first + count; piece++)
                partial[piece] = sum(x.AsSpan(piece * Grain, Math.Min(Grain, x.Length - piece * Grain)));
        });
        return partial.Sum();
    }

    /// <summary>The innermost axis is reduced: every element of the result is a sum of runs.</summary>
    static void SumRuns(Team team, float[] x, List<(int Extent, bool Reduced)> axes, float[] y)
    {
        var run = axes[^1].Extent;
        var (kept, reduced) = Offsets(axes, axes.Count - 1, run);
        team.ForRange(kept.Length, Math.Max(1, Grain / (run * reduced.Length)), (start, count) =>
        {
            for (var i = start; i < start + count; i++)
            {
                double sum = 0;
                foreach (var offset in reduced)
                {
                    for (var piece = 0; piece < run; piece += Grain)
                        sum += SumRun(x.AsSpan(kept[i] + offset + piece, Math.Min(Grain, run - piece)));
                }
                y[i] = (float)sum;
            }
        });
    }

    /// <summary>The innermost axis stays: lines are added to one another.</summary>
    static void SumLines(Team team, float[] x, List<(int Extent, bool Reduced)> axes, float[] y)
    {
        var run = axes[^1].Extent;
        var (kept, reduced) = Offsets(axes, axes.Count - 1, run);
        var piecesPerRun = (run + Grain - 1) / Grain;
        team.For(kept.Length * piecesPerRun, piece =>
        {
            int line = piece / piecesPerRun, start = piece % piecesPerRun * Grain, length = Math.Min(Grain, run - start);
            var sum = y.AsSpan(line * run + start, length);
            x.AsSpan(kept[line] + reduced[0] + start, length).CopyTo(sum);
            foreach (var offset in reduced.AsSpan(1))
                TensorPrimitives.Add(sum, x.AsSpan(kept[line] + offset + start, length), sum);
        });
    }

    /// <summary>A sum that carries NaN and infinities as IEEE 754 does.</summary>
    static float SumRun(ReadOnlySpan<float> run) => TensorPrimitives.Sum(run);

    /// <summary>The offsets of every combination of the kept axes, and of the reduced ones, among the first axes.</summary>
    static (int[] Kept, int[] Reduced) Offsets(List<(int Extent, bool Reduced)> axes, int count, int innerStride)
    {
        int[] kept = [0], reduced = [0];
        var stride = axes.Take(count).Aggregate(innerStride, (product, axis) => product * axis.Extent);
        for (var axis = 0; axis < count; axis++)
        {
            stride /= axes[axis].Extent;
            var steps = Operand.Range(axes[axis].Extent, stride);
            if (axes[axis].Reduced) reduced = [.. from offset in reduced from step in steps select offset + step];
            else kept = [.. from offset in kept from step in steps select offset + step];
        }
        return (kept, reduced);
    }

    static List<(int Extent, bool Reduced)> Merge(Shape shape, ReadOnlySpan<int> axes)
    {
        var reduce = new bool[shape.Rank];
        foreach (var axis in axes) reduce[axis < 0 ? axis + shape.Rank : axis] = true;
        if (axes.IsEmpty) Array.Fill(reduce, true);
        List<(int Extent, bool Reduced)> merged = [];
        for (var axis = 0; axis < shape.Rank; axis++)
        {
            if (shape[axis] == 1) continue;
            if (merged.Count > 0 && merged[^1].Reduced == reduce[axis])
                merged[^1] = (merged[^1].Extent * shape[axis], reduce[axis]);
            else merged.Add((shape[axis], reduce[axis]));
        }
        if (merged.Count == 0) merged.Add((1, true));
        return merged;
    }
}
