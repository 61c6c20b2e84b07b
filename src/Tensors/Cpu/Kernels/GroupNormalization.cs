using System.Numerics.Tensors;
using VaeFunctions.Tensors;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>Group normalisation over [N, C, P] with P pixels a channel, an image's group of channels a thread. (Wu and He
/// 2018)</summary>
static class GroupNormalization
{
    /// <summary>mean = Σ x / M and variance = Σ (x − mean)² / M per image and group, M = C / groups · P, then y = (x − mean) /
    /// √(variance + ε) · weight + bias.</summary>
    public static void Forward(
        Team team, float[] x, Shape shape, int groups, float[] weight, float[] bias, float epsilon, float[] y)
    {
        int width = shape[1] / groups, pixels = shape[2] * shape[3], run = width * pixels;
        team.For(shape[0] * groups, index =>
        {
            var (mean, inverse) = Statistics(x.AsSpan(index * run, run), epsilon);
            for (var c = 0; c < width; c++)
            {
                int channel = index % groups * width + c, start = index * run + c * pixels;
                var scale = weight[channel] * inverse;
                BatchNormalization.ScaleAndShift(
                    x.AsSpan(start, pixels), scale, bias[channel] - mean * scale, y.AsSpan(start, pixels));
            }
        });
    }

    /// <summary>The formulas of <see cref="Autograd.ITapedBackend.GroupNormalizationGradient"/>.</summary>
    public static void Gradient(
        Team team, float[] x, Shape shape, int groups, float[] weight, float[] dy, float epsilon, float[] dx, float[] dweight,
        float[] dbias)
    {
        int images = shape[0], channels = shape[1], width = channels / groups, pixels = shape[2] * shape[3], run = width * pixels;
        // Each image's part of dweight and dbias, added up in order afterwards, so that threads do not matter.
        float[] products = new float[images * channels], sums = new float[images * channels];
        team.For(images * groups, index =>
        {
            var (mean, inverse) = Statistics(x.AsSpan(index * run, run), epsilon);
            double sum = 0, product = 0; // of dy · weight, and of dy · weight · x̂
            for (var c = 0; c < width; c++)
            {
                int place = index * width + c, start = index * run + c * pixels;
                var slope = weight[place % channels];
                sums[place] = TensorPrimitives.Sum<float>(dy.AsSpan(start, pixels));
                products[place] = BatchNormalization.DeviationProducts(
                    x.AsSpan(start, pixels), mean, dy.AsSpan(start, pixels)) * inverse;
                sum += slope * sums[place];
                product += slope * products[place];
            }
            // dx = weight · inverse · dy − (x − mean) · inverse² · product / M − inverse · sum / M
            var (along, offset) = ((float)(product / run) * inverse * inverse, (float)(sum / run) * inverse);
            for (var c = 0; c < width; c++)
            {
                var start = index * run + c * pixels;
                BatchNormalization.Combine(dy.AsSpan(start, pixels), weight[(index * width + c) % channels] * inverse,
                    x.AsSpan(start, pixels), mean, along, offset, dx.AsSpan(start, pixels));
            }
        });
        Array.Clear(dweight);
        Array.Clear(dbias);
        for (var n = 0; n < images; n++)
        {
            TensorPrimitives.Add(dweight.AsSpan(0, channels), products.AsSpan(n * channels, channels), dweight);
            TensorPrimitives.Add(dbias.AsSpan(0, channels), sums.AsSpan(n * channels, channels), dbias);
        }
    }

    static (float Mean, float Inverse) Statistics(ReadOnlySpan<float> x, float epsilon)
    {
        var mean = TensorPrimitives.Sum(x) / x.Length;
        return (mean, 1 / MathF.Sqrt(BatchNormalization.SquaredDeviations(x, mean) / x.Length + epsilon));
    }
}
