using System.Globalization;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Latent;

/// <summary>How strange an image is to a model, in steps from the median of ordinary images.</summary>
/// <param name="Steps">0 at the median, 1 where a twentieth of the ordinary images is stranger on that side.</param>
/// <param name="By">What is strangest about it: <see cref="Anomaly.Error"/>, <see cref="Anomaly.Code"/>, or one of
/// <see cref="ImageTraits"/>.</param>
public readonly record struct Strangeness(double Steps, string By);

/// <summary>How strange an image is to a model: what does not come back was never learnt (An and Cho 2015), what comes back from
/// an unlikely code is of another world, and so is an image much simpler than those it was trained on.</summary>
public static class Anomaly
{
    /// <summary>The names of the two scores that the model gives, beside those of <see cref="ImageTraits"/>.</summary>
    public const string Error = "error", Code = "code";

    /// <summary>Traits are logarithms: a tenth is a tenth of contrast, sharpness or colour, below which nobody sees a difference,
    /// however much alike the ordinary images are.</summary>
    const double LeastSpreadOfTraits = 0.1;

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

    /// <summary>What is strangest about an image: its reconstruction, its code or one of its own traits, each in steps from the
    /// median of ordinary images, to their 95th percentile above it and to their 5th below. A low score is strange too, since an
    /// image much simpler than those of the training comes back too well, from too likely a code. (Nalisnick et al. 2019,
    /// "Detecting out-of-distribution inputs to deep generative models using typicality")</summary>
    /// <param name="surprise">−log p of the code, in nats; null where nothing says which are likely.</param>
    /// <param name="traits">By name, as <see cref="ImageTraits"/> has them; those that the calibration lacks do not count, as in
    /// versions from before there were any.</param>
    public static Strangeness Joint(
        AnomalyCalibration calibration, double error, double? surprise, IReadOnlyDictionary<string, double> traits)
    {
        ArgumentNullException.ThrowIfNull(calibration);
        ArgumentNullException.ThrowIfNull(traits);
        List<Strangeness> all = [new(Steps(calibration.Quantiles, error, leastSpread: 0), Error)];
        if (surprise is { } code && calibration.Codes is { } codes) all.Add(new(Steps(codes, code, leastSpread: 0), Code));
        foreach (var (name, value) in traits)
            if (calibration.Traits?.GetValueOrDefault(name) is { } quantiles)
                all.Add(new(Steps(quantiles, value, LeastSpreadOfTraits), name));
        return all.MaxBy(strangeness => strangeness.Steps);

        static double Steps(IReadOnlyDictionary<string, double> quantiles, double score, double leastSpread)
        {
            if (double.IsNaN(score)) return double.PositiveInfinity;
            if (!quantiles.TryGetValue("0.5", out var median) || !quantiles.TryGetValue("0.95", out var high)) return 0;
            leastSpread = Math.Max(leastSpread, 1e-9 * Math.Max(1, Math.Abs(median)));
            // Versions from before both sides counted have no low quantiles.
            return score < median && quantiles.TryGetValue("0.05", out var low)
                ? (median - score) / Math.Max(median - low, leastSpread)
                : (score - median) / Math.Max(high - median, leastSpread);
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
