using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>An image after the way through its posterior's mean and back.</summary>
/// <param name="Error">The mean squared difference of the pixels, which lie in [0, 1].</param>
public sealed record Reconstruction(FittedImage Original, Image Image, float[] Mean, float[] LogVariance, double Error)
{
    /// <summary>Reconstructs all images in one batch. Nothing is drawn at random.</summary>
    /// <param name="labels">What the images show, for a conditional model; else null.</param>
    /// <param name="drawnAs">What they are to show afterwards, if anything else: the latent keeps all that the label does not
    /// say.</param>
    public static async Task<Reconstruction[]> OfAsync(
        IReadOnlyList<FittedImage> originals, long[]? labels, ModelSession session, CancellationToken cancellation,
        long[]? drawnAs = null)
    {
        var posterior = await session.EncodeAsync(originals, labels, cancellation);
        var images = await session.DecodeAsync(posterior.Mean, drawnAs ?? labels, cancellation);
        return [.. originals.Select((original, i) =>
            new Reconstruction(original, images[i], posterior.Mean[i], posterior.LogVariance[i],
                Anomaly.Score(original.Image.Pixels, images[i].Pixels)))];
    }
}
