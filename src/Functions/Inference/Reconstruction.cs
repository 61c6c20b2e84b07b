using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>An image after the way through its posterior's mean and back.</summary>
/// <param name="Error">The mean squared difference of the pixels, which lie in [0, 1].</param>
/// <param name="Surprise">−log p of the mean, in nats; null where it was not asked for, or nothing says which are likely.</param>
public sealed record Reconstruction(FittedImage Original, Image Image, float[] Mean, float[] LogVariance, double Error,
    double? Surprise = null)
{
    /// <summary>Reconstructs all images in one batch. Nothing is drawn at random.</summary>
    /// <param name="labels">What the images show, for a conditional model; else null.</param>
    /// <param name="drawnAs">What they are to show afterwards, if anything else: the latent keeps all that the label does not
    /// say.</param>
    /// <param name="judged">Whether <see cref="Surprise"/> is wanted.</param>
    public static async Task<Reconstruction[]> OfAsync(
        IReadOnlyList<FittedImage> originals, long[]? labels, ModelSession session, CancellationToken cancellation,
        long[]? drawnAs = null, bool judged = false)
    {
        var posterior = await session.EncodeAsync(originals, labels, cancellation);
        var images = await session.DecodeAsync(posterior.Mean, drawnAs ?? labels, cancellation);
        var likely = judged ? await session.LogDensitiesAsync(posterior.Mean, cancellation) : null;
        return [.. originals.Select((original, i) =>
            new Reconstruction(original, images[i], posterior.Mean[i], posterior.LogVariance[i],
                Anomaly.Score(original.Image.Pixels, images[i].Pixels), -likely?[i]))];
    }
}
