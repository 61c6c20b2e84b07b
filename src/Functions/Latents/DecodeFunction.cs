using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>Gives the image of each latent vector.</summary>
public sealed class DecodeFunction(ModelProvider models, IOptions<ServingOptions> options)
{
    static readonly Field Latents = new("latents", FieldType.Latents, "The latent vectors, [[…], …] or one […].");
    static readonly Field[] Fields = [Latents, Field.Label];

    [Function("Decode")]
    [Describes("Give the images of latent vectors.", Fields = nameof(Fields), Answers = ["image/png", "application/json", "application/zip"])]
    public async Task<IActionResult> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/decode")] HttpRequest request, string model, CancellationToken cancellation)
    {
        var kind = Accept.Choose(request);
        using var session = await models.LeaseAsync(request, model, cancellation);
        var content = await RequestContent.ReadAsync(request, Fields, cancellation);
        var latents = RequestLatents.Vectors(content[Latents], Latents.Name, session.LatentSize, options.Value.MaxSampleCount);
        options.Value.CheckAnswer(latents.Length, session.Shape);
        var images = await session.DecodeAsync(latents, content.Labels(session, latents.Length), cancellation);

        return Answers.Pictures(kind, images, Answers.Square(images.Length),
            () => new { session.Model, session.Version, images = images.Select(image => new { png = ImageCodec.EncodePng(image) }) });
    }
}
