using System.Numerics.Tensors;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>Batch normalisation over [N, C, P] with P pixels a channel, a channel a thread. (Ioffe and Szegedy 2015)</summary>
static class BatchNormalization
{
    /// <summary>mean = Σ x / M and variance = Σ (x − mean)² / M per channel, M = N · P, then y = (x − mean) / √(variance + ε) · weight + bias.</summary>
    public static void Forward(
        Team team, float[] x, int images, int channels, int pixels, float[] weight, float[] bias, float epsilon, float[] mean, float[] variance, float[] y) =>
        team.For(channels, c =>
        {
            var scratch = new float[pixels];
            double sum = 0, squares = 0;
            for (var n = 0; n < images; n++) sum += TensorPrimitives.Sum<float>(Run(x, n, c));
            mean[c] = (float)(sum / (images * pixels));
            for (var n = 0; n < images; n++)
            {
                TensorPrimitives.Subtract(Run(x, n, c), mean[c], scratch);
                squares += TensorPrimitives.SumOfSquares<float>(scratch);
            }
            variance[c] = (float)(squares / (images * pixels));
            var scale = weight[c] / MathF.Sqrt(variance[c] + epsilon);
            for (var n = 0; n < images; n++)
            {
                TensorPrimitives.Subtract(Run(x, n, c), mean[c], scratch);
                TensorPrimitives.Multiply(scratch, scale, scratch);
                TensorPrimitives.Add(scratch, bias[c], Run(y, n, c));
            }

            Span<float> Run(float[] values, int image, int channel) => values.AsSpan((image * channels + channel) * pixels, pixels);
        });

    /// <summary>The formulas of <see cref="Tensors.ITrainingBackend.BatchNormalizationGradient"/>.</summary>
    public static void Gradient(
        Team team, float[] x, int images, int channels, int pixels, float[] mean, float[] variance, float[] weight, float[] dy, float epsilon,
        float[] dx, float[] dweight, float[] dbias) =>
        team.For(channels, c =>
        {
            var normalised = new float[pixels];
            double gradientSum = 0, productSum = 0;
            var inverse = 1 / MathF.Sqrt(variance[c] + epsilon);
            for (var n = 0; n < images; n++)
            {
                Normalise(n);
                gradientSum += TensorPrimitives.Sum<float>(Run(dy, n, c));
                productSum += TensorPrimitives.Dot<float>(Run(dy, n, c), normalised);
            }
            dweight[c] = (float)productSum;
            dbias[c] = (float)gradientSum;
            float perElement = 1f / (images * pixels), scale = weight[c] * inverse;
            for (var n = 0; n < images; n++)
            {
                Normalise(n);
                TensorPrimitives.Multiply(normalised, -dweight[c] * perElement, normalised);
                TensorPrimitives.Add(normalised, Run(dy, n, c), normalised);
                TensorPrimitives.Subtract(normalised, dbias[c] * perElement, normalised);
                TensorPrimitives.Multiply(normalised, scale, Run(dx, n, c));
            }

            void Normalise(int image)
            {
                TensorPrimitives.Subtract(Run(x, image, c), mean[c], normalised);
                TensorPrimitives.Multiply(normalised, inverse, normalised);
            }

            Span<float> Run(float[] values, int image, int channel) => values.AsSpan((image * channels + channel) * pixels, pixels);
        });
}
