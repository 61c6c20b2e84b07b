using System.Numerics;
using System.Numerics.Tensors;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>Batch normalisation over [N, C, P] with P pixels a channel, a channel a thread. (Ioffe and Szegedy 2015)</summary>
static class BatchNormalization
{
    /// <summary>mean = Σ x / M and variance = Σ (x − mean)² / M per channel, M = N · P, then y = (x − mean) / √(variance + ε) ·
    /// weight + bias.</summary>
    public static void Forward(
        Team team, float[] x, int images, int channels, int pixels, float[] weight, float[] bias, float epsilon, float[] mean,
        float[] variance, float[] y) =>
        team.For(channels, c =>
        {
            double sum = 0, squares = 0;
            for (var n = 0; n < images; n++) sum += TensorPrimitives.Sum<float>(Run(x, n, c));
            mean[c] = (float)(sum / (images * pixels));
            for (var n = 0; n < images; n++) squares += SquaredDeviations(Run(x, n, c), mean[c]);
            variance[c] = (float)(squares / (images * pixels));
            var scale = weight[c] / MathF.Sqrt(variance[c] + epsilon);
            var shift = bias[c] - mean[c] * scale;
            for (var n = 0; n < images; n++) ScaleAndShift(Run(x, n, c), scale, shift, Run(y, n, c));

            Span<float> Run(float[] values, int image, int channel) =>
                values.AsSpan((image * channels + channel) * pixels, pixels);
        });

    /// <summary>The formulas of <see cref="Autograd.ITapedBackend.BatchNormalizationGradient"/>.</summary>
    public static void Gradient(
        Team team, float[] x, int images, int channels, int pixels, float[] mean, float[] variance, float[] weight, float[] dy,
        float epsilon,
        float[] dx, float[] dweight, float[] dbias) =>
        team.For(channels, c =>
        {
            double gradientSum = 0, productSum = 0;
            var inverse = 1 / MathF.Sqrt(variance[c] + epsilon);
            for (var n = 0; n < images; n++)
            {
                gradientSum += TensorPrimitives.Sum<float>(Run(dy, n, c));
                productSum += DeviationProducts(Run(x, n, c), mean[c], Run(dy, n, c));
            }
            dweight[c] = (float)(productSum * inverse);
            dbias[c] = (float)gradientSum;
            // dx = scale · dy − slope · (x − mean) − offset
            float perElement = 1f / (images * pixels), scale = weight[c] * inverse;
            float slope = scale * dweight[c] * perElement * inverse, offset = scale * dbias[c] * perElement;
            for (var n = 0; n < images; n++) Combine(Run(dy, n, c), scale, Run(x, n, c), mean[c], slope, offset, Run(dx, n, c));

            Span<float> Run(float[] values, int image, int channel) =>
                values.AsSpan((image * channels + channel) * pixels, pixels);
        });

    /// <summary>Σ (x − mean)²</summary>
    internal static float SquaredDeviations(ReadOnlySpan<float> x, float mean)
    {
        Vector<float> first = default, second = default, centre = new(mean);
        var i = 0;
        for (; i + 2 * Vector<float>.Count <= x.Length; i += 2 * Vector<float>.Count)
        {
            Vector<float> a = new Vector<float>(x[i..]) - centre, b = new Vector<float>(x[(i + Vector<float>.Count)..]) - centre;
            first += a * a;
            second += b * b;
        }
        var sum = Vector.Sum(first + second);
        for (; i < x.Length; i++) sum += (x[i] - mean) * (x[i] - mean);
        return sum;
    }

    /// <summary>Σ (x − mean) · dy</summary>
    internal static float DeviationProducts(ReadOnlySpan<float> x, float mean, ReadOnlySpan<float> dy)
    {
        Vector<float> first = default, second = default, centre = new(mean);
        var i = 0;
        for (; i + 2 * Vector<float>.Count <= x.Length; i += 2 * Vector<float>.Count)
        {
            first += (new Vector<float>(x[i..]) - centre) * new Vector<float>(dy[i..]);
            second += (new Vector<float>(x[(i + Vector<float>.Count)..]) - centre) * new Vector<float>(dy[(i
                + Vector<float>.Count)..]);
        }
        var sum = Vector.Sum(first + second);
        for (; i < x.Length; i++) sum += (x[i] - mean) * dy[i];
        return sum;
    }

    /// <summary>y = scale · x + shift</summary>
    internal static void ScaleAndShift(ReadOnlySpan<float> x, float scale, float shift, Span<float> y)
    {
        var i = 0;
        for (; i + Vector<float>.Count <= x.Length; i += Vector<float>.Count)
            (new Vector<float>(x[i..]) * scale + new Vector<float>(shift)).CopyTo(y[i..]);
        for (; i < x.Length; i++) y[i] = x[i] * scale + shift;
    }

    /// <summary>dx = scale · dy − slope · (x − mean) − offset</summary>
    internal static void Combine(
        ReadOnlySpan<float> dy, float scale, ReadOnlySpan<float> x, float mean, float slope, float offset, Span<float> dx)
    {
        var i = 0;
        for (; i + Vector<float>.Count <= x.Length; i += Vector<float>.Count)
        {
            var centred = new Vector<float>(x[i..]) - new Vector<float>(mean);
            (new Vector<float>(dy[i..]) * scale - centred * slope - new Vector<float>(offset)).CopyTo(dx[i..]);
        }
        for (; i < x.Length; i++) dx[i] = scale * dy[i] - slope * (x[i] - mean) - offset;
    }
}
