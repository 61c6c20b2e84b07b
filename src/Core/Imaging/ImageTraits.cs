namespace VaeFunctions.Imaging;

/// <summary>What can be said of an image whatever it shows, as numbers that compare.</summary>
public static class ImageTraits
{
    /// <summary>How much its values vary: ln(1 + σ), of all values from 0 to 255.</summary>
    public const string Contrast = "contrast";

    /// <summary>How much its pixels differ from those around them: ln(1 + the variance of the Laplacian).</summary>
    public const string Sharpness = "sharpness";

    /// <summary>How colourful it is: ln(1 + the mean difference of a pixel's greatest channel and its least). Of images in
    /// colour.</summary>
    public const string Colour = "colour";

    /// <summary>All traits of an image, by name. They are logarithms, since twice as much is as strange as half of it.</summary>
    public static IReadOnlyDictionary<string, double> Of(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        Dictionary<string, double> traits = new()
        {
            [Contrast] = Math.Log(1 + Deviation(image.Pixels)),
            [Sharpness] = Math.Log(1 + VarianceOfLaplacian(image)),
        };
        if (image.Channels == 3) traits[Colour] = Math.Log(1 + Colourfulness(image.Pixels));
        return traits;
    }

    /// <summary>The variance of the Laplacian (4 at a pixel, −1 at its neighbours) of the grey image inside its border.
    /// (Pech-Pacheco et al. 2000)</summary>
    public static double VarianceOfLaplacian(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var grey = image.ToChannels(1).Pixels;
        var (sum, squares, count) = (0L, 0L, 0L);
        for (var y = 1; y < image.Height - 1; y++)
        {
            for (var x = 1; x < image.Width - 1; x++)
            {
                var i = y * image.Width + x;
                long value = 4 * grey[i] - grey[i - 1] - grey[i + 1] - grey[i - image.Width] - grey[i + image.Width];
                (sum, squares, count) = (sum + value, squares + value * value, count + 1);
            }
        }
        return count == 0 ? 0 : (double)squares / count - (double)sum / count * ((double)sum / count);
    }

    static double Deviation(ReadOnlySpan<byte> values)
    {
        var (sum, squares) = (0L, 0L);
        foreach (var value in values) (sum, squares) = (sum + value, squares + value * value);
        var mean = (double)sum / values.Length;
        return Math.Sqrt(Math.Max(0, (double)squares / values.Length - mean * mean));
    }

    static double Colourfulness(ReadOnlySpan<byte> pixels)
    {
        var sum = 0L;
        for (var i = 0; i < pixels.Length; i += 3)
            sum += Math.Max(pixels[i], Math.Max(pixels[i + 1], pixels[i + 2]))
                - Math.Min(pixels[i], Math.Min(pixels[i + 1], pixels[i + 2]));
        return sum / (pixels.Length / 3.0);
    }
}
