using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>An image after the way through its posterior's mean and back.</summary>
/// <param name="Error">The mean squared difference of the pixels, which lie in [0, 1].</param>
sealed record Reconstruction(FittedImage Original, Image Image, float[] Mean, float[] LogVariance, double Error)
{
    /// <summary>Reconstructs all images in one batch. Nothing is drawn at random.</summary>
    /// <param name="labels">What the images show, for a conditional model; else null.</param>
    /// <param name="drawnAs">What they are to show afterwards, if anything else: the latent keeps all that the label does not say.</param>
    /// <exception cref="RequestException">422: the model gives no finite latent for an image, and would not at another try.</exception>
    public static Reconstruction[] Of(IReadOnlyList<FittedImage> originals, long[]? labels, ModelSession session, long[]? drawnAs = null)
    {
        var (mean, logVariance) = session.Encode([.. originals.SelectMany(original => original.Image.Pixels)], labels);
        foreach (var (i, latent) in mean.Concat(logVariance).Index())
        {
            if (!float.IsFinite(latent))
                throw new RequestException(StatusCodes.Status422UnprocessableEntity,
                    $"Model {session.Model}, version {session.Version} gives latents that are not finite for {(originals.Count == 1 ? "this image" : $"image {i % mean.Length / session.LatentSize + 1}")}. "
                    + "Send another image; if that one is ordinary, the version is at fault: roll back or train anew.");
        }
        var images = Answers.Images(session.Decode(mean, drawnAs ?? labels), session.Shape);
        var (means, logVariances) = (mean.Chunk(session.LatentSize).ToArray(), logVariance.Chunk(session.LatentSize).ToArray());
        return [.. originals.Select((original, i) =>
            new Reconstruction(original, images[i], means[i], logVariances[i], SquaredError(original.Image.Pixels, images[i].Pixels)))];
    }

    static double SquaredError(byte[] left, byte[] right) =>
        left.Zip(right, (a, b) => (double)(a - b) * (a - b)).Sum() / (255.0 * 255.0 * left.Length);
}
