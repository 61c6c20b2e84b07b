using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>Draws images from a model's prior: a grid, JSON with the latents, or a ZIP.</summary>
public sealed class SampleFunction(ModelProvider models, IOptions<ServingOptions> options)
{
    const long LargestSeed = (1L << 53) - 1; // what JSON numbers hold in every language

    static readonly string[] Known = ["count", "seed", "temperature", "label"];

    [Function("Sample")]
    public async Task<IActionResult> Run(
        [HttpTrigger(AuthorizationLevel.Function, "get", "post", Route = "models/{model}/sample")] HttpRequest request, string model, CancellationToken cancellation)
    {
        var kind = Accept.Choose(request);
        var fields = await RequestFields.ReadAsync(request, Known, cancellation);
        var count = (int)(fields.Integer("count", 1, options.Value.MaxSampleCount) ?? 16);
        var seed = fields.Integer("seed", 0, LargestSeed) ?? Random.Shared.NextInt64(int.MaxValue);
        var temperature = (float)(fields.Number("temperature", 0, 10) ?? 1);

        using var session = await models.LeaseAsync(model, cancellation);
        if ((long)count * session.Shape.Height * session.Shape.Width > options.Value.MaxImagePixels)
            throw new RequestException(StatusCodes.Status400BadRequest,
                $"{count} images of {session.Shape} are more than {options.Value.MaxImagePixels} pixels; ask for at most {options.Value.MaxImagePixels / (session.Shape.Height * session.Shape.Width)}.");
        var labels = RequestLabels.For(session, fields.Text("label"), count, inTurn: true);
        var latents = session.Draw(count, (ulong)seed, temperature);
        var images = Answers.Images(session.Decode(latents, labels), session.Shape);

        request.HttpContext.Response.Describe(session, seed);
        return kind switch
        {
            AnswerKind.Png => Answers.Png(ImageGrid.Compose(images, (int)Math.Ceiling(Math.Sqrt(count)))),
            AnswerKind.Zip => Answers.Zip(images),
            _ => Answers.Json(new
            {
                session.Model,
                session.Version,
                seed,
                temperature,
                images = images.Zip(latents.Chunk(session.LatentSize)).Select((pair, i) => new { label = labels?[i], latent = pair.Second, png = ImageCodec.EncodePng(pair.First) }),
            }),
        };
    }
}
