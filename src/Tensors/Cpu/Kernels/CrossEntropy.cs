using System.Runtime.Intrinsics;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>Σ softplus(x) − target · x over each image, without writing a term down.</summary>
static class CrossEntropy
{
    /// <summary>Vectors whose terms share a logarithm: their product stays below 2³².</summary>
    const int Shared = 32;

    public static void Sum(Team team, float[] logits, float[] target, int size, float[] y) =>
        team.ForRange(y.Length, Math.Max(1, (1 << 12) / Math.Max(1, size)), (start, count) =>
        {
            for (var image = start; image < start + count; image++)
                y[image] = (float)Sum(logits.AsSpan(image * size, size), target.AsSpan(image * size, size));
        });

    /// <summary>softplus(x) = max(x, 0) + log(1 + e^−|x|), and Σ log(1 + uᵢ) = log(1 + q) with 1 + q = Π (1 + uᵢ). That product
    /// grows by q ← q + u + q · u, which keeps the smallest u's digits: one exponential for each term, and hardly a
    /// logarithm.</summary>
    static double Sum(ReadOnlySpan<float> logits, ReadOnlySpan<float> target)
    {
        double sum = 0;
        var i = 0;
        while (i + Vector256<float>.Count <= logits.Length)
        {
            Vector256<float> linear = default, q = default;
            for (var vector = 0; vector < Shared
                && i + Vector256<float>.Count <= logits.Length; vector++, i += Vector256<float>.Count)
            {
                var x = Vector256.Create(logits[i..]);
                var u = Vector256.Exp(-Vector256.Abs(x));
                q = Vector256.FusedMultiplyAdd(q, u, q + u);
                linear += Vector256.Max(x, default) - Vector256.Create(target[i..]) * x;
            }
            sum += Vector256.Sum(linear + UnaryOperations.Log1p(q));
        }
        for (; i < logits.Length; i++)
        {
            double x = logits[i];
            sum += Math.Max(x, 0) - target[i] * x + Math.Log(1 + Math.Exp(-Math.Abs(x)));
        }
        return sum;
    }
}
