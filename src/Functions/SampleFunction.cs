using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;
using VaeFunctions.Tensors;

namespace VaeFunctions.Serving;

/// <summary>Draws images from a model's prior: a grid, JSON with the latents, or a ZIP.</summary>
public sealed class SampleFunction(ModelProvider models, IOptions<ServingOptions> options)
{
    const long LargestSeed = (1L << 53) - 1; // what JSON numbers hold in every language

    static readonly string[] Known = ["count", "seed", "temperature"];

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
        var latents = Draw(count, session.LatentSize, (ulong)seed, temperature);
        var images = Answers.Images(session.Decode(latents), session.Shape);

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
                images = images.Zip(latents.Chunk(session.LatentSize), (image, latent) => new { latent, png = ImageCodec.EncodePng(image) }),
            }),
        };
    }

    /// <summary>temperature · N(0, I). Each image has a stream of its own, so that more images begin with the same ones.</summary>
    static float[] Draw(int count, int latentSize, ulong seed, float temperature) =>
        [.. Enumerable.Range(0, count).SelectMany(i => new RandomStream(seed, "sample", (ulong)i).Gaussians(latentSize)).Select(value => temperature * value)];
}
