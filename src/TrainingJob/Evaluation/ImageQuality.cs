using VaeFunctions.Imaging;

namespace VaeFunctions.Evaluation;

/// <summary>How alike two images are, and how sharp one is. Pixels go from 0 to 255.</summary>
public static class ImageQuality
{
    /// <summary>What <see cref="Psnr"/> gives for equal images, in place of infinity, so that means stay finite.</summary>
    public const double HighestPsnr = 100;

    const int Window = 11;
    const double Deviation = 1.5;
    const double C1 = 0.01 * 255 * (0.01 * 255), C2 = 0.03 * 255 * (0.03 * 255);

    /// <summary>The mean squared difference of pixels brought to [0, 1].</summary>
    public static double Error(ReadOnlySpan<byte> x, ReadOnlySpan<byte> y)
    {
        long sum = 0;
        for (var i = 0; i < x.Length; i++) sum += (x[i] - y[i]) * (x[i] - y[i]);
        return sum / (255.0 * 255 * x.Length);
    }

    /// <summary>The peak signal-to-noise ratio 10 · log₁₀(1 / error), in dB.</summary>
    public static double Psnr(ReadOnlySpan<byte> x, ReadOnlySpan<byte> y) => Math.Min(HighestPsnr, -10 * Math.Log10(Error(x, y)));

    /// <summary>The structural similarity, averaged over all places of an 11×11 Gaussian window (σ = 1.5) that lies inside the
    /// image, and over channels. (Wang et al. 2004, equation 13) In smaller images the window is the largest odd one that
    /// fits.</summary>
    /// <param name="x">Row by row, channels side by side.</param>
    public static double Ssim(ImageShape shape, ReadOnlySpan<byte> x, ReadOnlySpan<byte> y)
    {
        var weights = Gaussian(Math.Min(Window, (Math.Min(shape.Height, shape.Width) + 1) / 2 * 2 - 1));
        double sum = 0;
        for (var channel = 0; channel < shape.Channels; channel++)
        {
            double[] a = Plane(x, channel, shape.Channels), b = Plane(y, channel, shape.Channels);
            double[] meanA = Blur(a, shape, weights), meanB = Blur(b, shape, weights);
            double[] squareA = Blur(Product(a, a), shape, weights), squareB = Blur(Product(b, b), shape, weights);
            var product = Blur(Product(a, b), shape, weights);
            double all = 0;
            for (var i = 0; i < meanA.Length; i++)
            {
                var (ab, aa, bb) = (meanA[i] * meanB[i], meanA[i] * meanA[i], meanB[i] * meanB[i]);
                all += (2 * ab + C1) * (2 * (product[i] - ab) + C2)
                    / ((aa + bb + C1) * (squareA[i] - aa + (squareB[i] - bb) + C2));
            }
            sum += all / meanA.Length;
        }
        return sum / shape.Channels;
    }

    static double[] Gaussian(int length)
    {
        int[] distances = [.. Enumerable.Range(0, length).Select(i => i - length / 2)];
        var weights = Array.ConvertAll(distances, distance => Math.Exp(-distance * distance / (2 * Deviation * Deviation)));
        var sum = weights.Sum();
        return Array.ConvertAll(weights, weight => weight / sum);
    }

    static double[] Plane(ReadOnlySpan<byte> pixels, int channel, int channels)
    {
        var plane = new double[pixels.Length / channels];
        for (var i = 0; i < plane.Length; i++) plane[i] = pixels[i * channels + channel];
        return plane;
    }

    static double[] Product(double[] a, double[] b)
    {
        var product = new double[a.Length];
        for (var i = 0; i < a.Length; i++) product[i] = a[i] * b[i];
        return product;
    }

    /// <summary>Along rows, then along columns, where the window lies inside.</summary>
    static double[] Blur(double[] plane, ImageShape shape, double[] weights)
    {
        int width = shape.Width - weights.Length + 1, height = shape.Height - weights.Length + 1;
        var rows = new double[shape.Height * width];
        for (var i = 0; i < rows.Length; i++)
        {
            var start = i / width * shape.Width + i % width;
            for (var w = 0; w < weights.Length; w++) rows[i] += weights[w] * plane[start + w];
        }
        var blurred = new double[height * width];
        for (var w = 0; w < weights.Length; w++)
            for (var i = 0; i < blurred.Length; i++) blurred[i] += weights[w] * rows[i + w * width];
        return blurred;
    }
}
