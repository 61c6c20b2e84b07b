using System.Globalization;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Latent;

/// <summary>How strange an image is to a model: what does not come back was never learnt (An and Cho 2015), and what comes back
/// from an unlikely code is of another world.</summary>
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

    /// <summary>Reconstruction and code together, each in steps from the median of ordinary images to their 95th percentile: the
    /// larger of the two, so that either suffices to be strange.</summary>
    /// <param name="surprise">−log p of the code, in nats.</param>
    /// <exception cref="ArgumentException">The calibration has no quantiles of codes.</exception>
    public static double Joint(AnomalyCalibration calibration, double error, double surprise)
    {
        ArgumentNullException.ThrowIfNull(calibration);
        return Math.Max(Steps(calibration.Quantiles, error),
            Steps(calibration.Codes ?? throw new ArgumentException("Anomaly: the version has no quantiles of codes."), surprise));

        static double Steps(IReadOnlyDictionary<string, double> quantiles, double score)
        {
            var (median, high) = (quantiles["0.5"], quantiles["0.95"]);
            return (score - median) / Math.Max(high - median, 1e-9 * Math.Max(1, Math.Abs(median)));
        }
    }

    /// <summary>The share of ordinary images with a lower reconstruction error, from 0 to 1, interpolated between the
    /// quantiles.</summary>
    public static double Percentile(AnomalyCalibration calibration, double score)
    {
        ArgumentNullException.ThrowIfNull(calibration);
        return score <= 0 ? 0 : Percentile(calibration.Quantiles, score, least: 0); // no error is lower
    }

    /// <summary>The same of any score.</summary>
    /// <param name="least">The score of which none is lower; without one, the lowest quantile is it.</param>
    public static double Percentile(IReadOnlyDictionary<string, double> calibration, double score, double? least = null)
    {
        ArgumentNullException.ThrowIfNull(calibration);
        (double Share, double Score)[] quantiles =
        [
            .. calibration.Select(pair => (double.Parse(pair.Key, CultureInfo.InvariantCulture), pair.Value))
                .OrderBy(pair => pair.Item1),
        ];
        if (least is { } floor) quantiles = [(0, floor), .. quantiles];
        if (quantiles is [] || score <= quantiles[0].Score) return 0;
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
