using Microsoft.Azure.Functions.Worker;

namespace VaeFunctions.Serving;

/// <summary>Gives the posterior of each image: its mean, which is its latent vector, and its log variance.</summary>
public sealed class EncodeFunction(ModelCalls calls)
{
    static readonly Field[] Fields = [Field.Images, Field.Label, Field.Version];
    static readonly AnswerKind[] Offers = [AnswerKind.Json];

    [Function("Encode")]
    [Describes("Give the latent vectors of images.", Fields = nameof(Fields), Offers = nameof(Offers))]
    public async Task<Answer<EncodeAnswer>> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/encode")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Fields, Offers, cancellation);
        var originals = await call.ImagesAsync(Field.Images);
        var posterior = await call.EncodeAsync(originals, call.Labels(originals.Count));

        call.DescribeResizing(originals);
        return new EncodeAnswer(call.Model, call.Version, [.. originals.Select((original, i) =>
            new EncodedImage(posterior.Mean[i], posterior.LogVariance[i], original.OriginalSize, original.Resized))]);
    }
}

/// <summary>The posteriors of images, in their order.</summary>
public sealed record EncodeAnswer(string Model, string Version, IReadOnlyList<EncodedImage> Images);

/// <summary>The posterior of an image.</summary>
/// <param name="Mean">Its mean, which is the image's latent vector.</param>
/// <param name="OriginalSize">The size that the image had, such as 640x480.</param>
/// <param name="Resized">Whether that is not the model's size.</param>
public sealed record EncodedImage(float[] Mean, float[] LogVariance, string OriginalSize, bool Resized);
