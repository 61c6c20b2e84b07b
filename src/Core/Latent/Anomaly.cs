using System.Globalization;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Latent;

/// <summary>How strange an image is to a model: what does not come back was never learnt. (An and Cho 2015)</summary>
public static class Anomaly
{
    /// <summary>The mean squared difference of an image and its reconstruction, pixels in [0, 1].</summary>
    public static double Score(ReadOnlySpan<byte> image, ReadOnlySpan<byte> reconstruction)
    {
        if (image.Length != reconstruction.Length || image.IsEmpty)
            throw new ArgumentException($"Anomaly: the image has {image.Length} bytes and its reconstruction "
                + $"{reconstruction.Length}; they must be of one shape.");
        long sum = 0;
        for (var i = 0; i < image.Length; i++) sum += (image[i] - reconstruction[i]) * (image[i] - reconstruction[i]);
        return sum / (255.0 * 255.0 * image.Length);
    }

    /// <summary>Where an image does not come back: the mean difference of each pixel's channels, black none, through red to white
    /// the greatest possible.</summary>
    public static Image HeatMap(Image image, Image reconstruction)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(reconstruction);
        var pixels = new byte[image.Width * image.Height * 3];
        for (var i = 0; i < pixels.Length / 3; i++)
        {
            var difference = 0;
            for (var c = 0; c < image.Channels; c++)
                difference += Math.Abs(image.Pixels[i * image.Channels + c] - reconstruction.Pixels[i * image.Channels + c]);
            var heat = 3 * difference / image.Channels; // one channel of the three after the other
            for (var c = 0; c < 3; c++) pixels[i * 3 + c] = (byte)Math.Clamp(heat - 255 * c, 0, 255);
        }
        return new Image(image.Width, image.Height, 3, pixels);
    }

    /// <summary>The image in dim grey with its heat map shining through, RGB.</summary>
    public static Image Overlay(Image image, Image heatMap)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(heatMap);
        var grey = image.ToChannels(1).Pixels;
        byte[] pixels = [.. heatMap.Pixels.Select((heat, i) => (byte)Math.Min(255, grey[i / 3] / 2 + heat))];
        return new Image(image.Width, image.Height, 3, pixels);
    }

    /// <summary>The share of ordinary images with a lower score, from 0 to 1, interpolated between the quantiles.</summary>
    public static double Percentile(AnomalyCalibration calibration, double score)
    {
        ArgumentNullException.ThrowIfNull(calibration);
        (double Share, double Score)[] quantiles =
        [
            (0, 0), // no score is lower
            .. calibration.Quantiles.Select(pair => (double.Parse(pair.Key, CultureInfo.InvariantCulture), pair.Value))
                .OrderBy(pair => pair.Item1),
        ];
        if (score <= 0) return 0;
        for (var i = 1; i < quantiles.Length; i++)
        {
            var (low, high) = (quantiles[i - 1], quantiles[i]);
            if (score <= high.Score)
                return high.Score > low.Score
                    ? low.Share + (high.Share - low.Share) * (score - low.Score) / (high.Score - low.Score)
                    : low.Share;
        }
        return 1;
    }

    /// <summary>A percentile in a word: below 95 of 100 ordinary, below 99 unusual, else anomalous.</summary>
    public static string Verdict(double percentile) =>
        percentile < 0.95 ? "ordinary" : percentile < 0.99 ? "unusual" : "anomalous";
}
