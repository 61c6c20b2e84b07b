using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>Sends images through a model and back: the reconstruction of one, a sheet of pairs of several, JSON, or a
/// ZIP.</summary>
public sealed class ReconstructFunction(ModelCalls calls)
{
    static readonly Field As = new("as", FieldType.Labels,
        "Another label, to draw what the latents say as that: all stays but what the label says.");
    static readonly Field[] Fields = [Field.Images, Field.Label, As, Field.Version];
    static readonly AnswerKind[] Offers = Accept.Pictures;

    [Function("Reconstruct")]
    [Describes("Send images through the posterior's mean and back.", Fields = nameof(Fields), Offers = nameof(Offers))]
    public async Task<Answer<ReconstructAnswer>> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/reconstruct")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Fields, Offers, cancellation);
        var originals = await call.ImagesAsync(Field.Images);
        var labels = call.Labels(originals.Count);
        var drawnAs = call.LabelsAs(As, labels, originals.Count);
        var results = await Reconstruction.OfAsync(originals, labels, call.Session, cancellation, drawnAs);

        call.DescribeResizing(originals);
        return call.AsPng && results.Length > 1
            ? call.Pictures([Pairs(results)], 1, Json)
            : call.Pictures([.. results.Select(result => result.Image)], 1, Json);

        ReconstructAnswer Json() => new(call.Model, call.Version, [.. results.Select(result => new ReconstructedImage(
            result.Mean, result.LogVariance, result.Error,
            result.Original.OriginalSize, result.Original.Resized, ImageCodec.EncodePng(result.Image)))]);
    }

    /// <summary>Each original, as the model saw it, with its reconstruction at its right; about as many rows as
    /// columns.</summary>
    static Image Pairs(Reconstruction[] results) => ImageGrid.Compose(
        [.. results.SelectMany(result => new[] { result.Original.Image, result.Image })],
        columns: 2 * (int)Math.Ceiling(Math.Sqrt(results.Length / 2.0)));
}

/// <summary>Images as the model gives them back.</summary>
public sealed record ReconstructAnswer(string Model, string Version, IReadOnlyList<ReconstructedImage> Images);

/// <summary>An image as the model gives it back, and the posterior in between.</summary>
/// <param name="Mean">The posterior's mean, which is the image's latent vector.</param>
/// <param name="Error">The mean squared difference to the image, pixels in [0, 1].</param>
/// <param name="OriginalSize">The size that the image had, such as 640x480.</param>
/// <param name="Resized">Whether that is not the model's size.</param>
public sealed record ReconstructedImage(
    float[] Mean, float[] LogVariance, double Error, string OriginalSize, bool Resized, byte[] Png);
