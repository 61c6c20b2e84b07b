using VaeFunctions.Evaluation;
using VaeFunctions.Imaging;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Evaluation;

public sealed class ImageQualityTests
{
    static byte[] Flat(int count, byte value) => [.. Enumerable.Repeat(value, count)];

    static byte[] Noise(int count, ulong seed)
    {
        var random = new RandomStream(seed, "pixels");
        return [.. Enumerable.Range(0, count).Select(_ => (byte)random.NextInt(256))];
    }

    [Fact]
    public void Psnr_follows_from_the_mean_squared_error()
    {
        // An error of 51 everywhere is 1/5 of the range: MSE 1/25, 10 · log₁₀ 25 = 13.9794 dB.
        Assert.Equal(0.04, ImageQuality.Error(Flat(12, 0), Flat(12, 51)), 12);
        Assert.Equal(13.9794, ImageQuality.Psnr(Flat(12, 0), Flat(12, 51)), 4);
        Assert.Equal(0, ImageQuality.Psnr(Flat(12, 0), Flat(12, 255)), 12);
        Assert.Equal(ImageQuality.HighestPsnr, ImageQuality.Psnr(Flat(12, 9), Flat(12, 9)));
    }

    [Fact]
    public void Ssim_of_flat_images_compares_their_brightness()
    {
        // No variance: (2ab + C₁) / (a² + b² + C₁) with C₁ = 2.55² = 6.5025.
        const double expected = (2.0 * 100 * 120 + 6.5025) / (100 * 100 + 120 * 120 + 6.5025);
        Assert.Equal(expected, ImageQuality.Ssim(new(16, 16, 1), Flat(256, 100), Flat(256, 120)), 9);
        Assert.Equal(1, ImageQuality.Ssim(new(16, 13, 3), Noise(624, 1), Noise(624, 1)), 9);
    }

    [Theory]
    [InlineData(15, 20, 1, 11)]
    [InlineData(12, 11, 3, 11)]
    [InlineData(8, 9, 1, 7)] // smaller than the window
    public void Ssim_is_the_papers_formula_at_every_place_of_the_window(int height, int width, int channels, int window)
    {
        ImageShape shape = new(height, width, channels);
        byte[] x = Noise(shape.Size, 2), y = [.. x.Zip(Noise(shape.Size, 3), (a, b) => (byte)((3 * a + b) / 4))];
        List<double> places = [];
        for (var channel = 0; channel < channels; channel++)
            for (var top = 0; top + window <= height; top++)
                for (var left = 0; left + window <= width; left++) places.Add(At(channel, top, left));
        Assert.InRange(places.Average(), 0.1, 0.95);
        Assert.Equal(places.Average(), ImageQuality.Ssim(shape, x, y), 9);

        double At(int channel, int top, int left)
        {
            List<(double Weight, double X, double Y)> seen = [];
            for (var v = 0; v < window; v++)
                for (var u = 0; u < window; u++)
                {
                    var (dy, dx, i) = (v - window / 2, u - window / 2, ((top + v) * width + left + u) * channels + channel);
                    seen.Add((Math.Exp(-(dx * dx + dy * dy) / (2 * 1.5 * 1.5)), x[i], y[i]));
                }
            var total = seen.Sum(s => s.Weight);
            double Mean(Func<(double Weight, double X, double Y), double> of) => seen.Sum(s => s.Weight * of(s)) / total;
            double meanX = Mean(s => s.X), meanY = Mean(s => s.Y), c1 = 0.01 * 255 * 0.01 * 255, c2 = 0.03 * 255 * 0.03 * 255;
            double varianceX = Mean(s => (s.X - meanX) * (s.X - meanX)), varianceY = Mean(s => (s.Y - meanY) * (s.Y - meanY));
            var covariance = Mean(s => (s.X - meanX) * (s.Y - meanY));
            return (2 * meanX * meanY + c1) * (2 * covariance + c2)
                / ((meanX * meanX + meanY * meanY + c1) * (varianceX + varianceY + c2));
        }
    }
}
