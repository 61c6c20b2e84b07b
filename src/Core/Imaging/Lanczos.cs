using System.Numerics.Tensors;

namespace VaeFunctions.Imaging;

/// <summary>Separable resampling by the Lanczos-3 filter, the one image libraries offer for quality.</summary>
/// <remarks>Rows are summed before columns, so that a tall image needs the memory of one row, not of one resized copy.</remarks>
internal static class Lanczos
{
    const double Lobes = 3;

    public static Image Resize(Image image, int width, int height)
    {
        var channels = image.Channels;
        var sourceRow = image.Width * channels;
        var columns = Taps(image.Width, width);
        var rows = Taps(image.Height, height);
        var summed = new float[sourceRow];
        var widened = new float[sourceRow];
        var pixels = new byte[width * height * channels];
        for (var y = 0; y < height; y++)
        {
            SumRows(image, rows[y], widened, summed);
            for (var x = 0; x < width; x++)
            {
                var (first, weights) = columns[x];
                for (var c = 0; c < channels; c++)
                {
                    var value = 0f;
                    for (var i = 0; i < weights.Length; i++) value += weights[i] * summed[(first + i) * channels + c];
                    pixels[(y * width + x) * channels + c] = (byte)Math.Clamp(MathF.Round(value), 0, 255);
                }
            }
        }
        return new Image(width, height, channels, pixels);
    }

    static void SumRows(Image image, (int First, float[] Weights) taps, float[] widened, float[] summed)
    {
        Array.Clear(summed);
        for (var i = 0; i < taps.Weights.Length; i++)
        {
            var row = image.Pixels.AsSpan((taps.First + i) * summed.Length, summed.Length);
            TensorPrimitives.ConvertTruncating<byte, float>(row, widened);
            TensorPrimitives.MultiplyAdd(widened, taps.Weights[i], summed, summed);
        }
    }

    /// <summary>For every output position: the first input it reads, and the weights from there on, which sum to 1.</summary>
    static (int First, float[] Weights)[] Taps(int from, int to)
    {
        var ratio = (double)from / to;
        var widening = Math.Max(ratio, 1);
        var taps = new (int, float[])[to];
        for (var i = 0; i < to; i++)
        {
            var centre = (i + 0.5) * ratio;
            var first = Math.Max((int)Math.Floor(centre - Lobes * widening + 0.5), 0);
            var end = Math.Min((int)Math.Floor(centre + Lobes * widening + 0.5), from);
            var weights = new double[end - first];
            for (var j = 0; j < weights.Length; j++) weights[j] = Window((first + j + 0.5 - centre) / widening);
            var sum = weights.Sum();
            taps[i] = (first, Array.ConvertAll(weights, weight => (float)(weight / sum)));
        }
        return taps;
    }

    /// <summary>sinc(x) · sinc(x / 3) for |x| &lt; 3, 0 elsewhere.</summary>
    static double Window(double x) => Math.Abs(x) < Lobes ? Sinc(x) * Sinc(x / Lobes) : 0;

    static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);
}
