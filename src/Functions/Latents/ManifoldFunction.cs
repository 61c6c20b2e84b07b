using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>Shows the latent space along two axes, in equal steps of probability under the prior.</summary>
public sealed class ManifoldFunction(ModelProvider models, IOptions<ServingOptions> options)
{
    static readonly Field Size = Field.Whole("n", 1, 64, "Images along each axis; 10 unless given.");
    static readonly Field X = Field.Whole("x", 0, 65535, "The latent that rises to the right; 0 unless given.");
    static readonly Field Y = Field.Whole("y", 0, 65535, "The latent that rises to the top; 1 unless given.");
    static readonly Field Seed = Field.Seed with { Description = "Draws the other latents; they are 0 unless it is given." };
    static readonly Field[] Fields = [Size, X, Y, Seed, Field.Label];

    [Function("Manifold")]
    [Describes("Show the latent space along two axes.", Fields = nameof(Fields), Answers = ["image/png", "application/json", "application/zip"])]
    public async Task<IActionResult> Run(
        [HttpTrigger(AuthorizationLevel.Function, "get", "post", Route = "models/{model}/manifold")] HttpRequest request, string model, CancellationToken cancellation)
    {
        var kind = Accept.Choose(request);
        var content = await RequestContent.ReadAsync(request, Fields, cancellation);
        var n = content.Whole(Size, 10);
        using var session = await models.LeaseAsync(request, model, cancellation);
        session.RequireNormalPrior();
        options.Value.CheckAnswer(n * n, session.Shape);
        var (x, y) = (Axis(X, 0), Axis(Y, 1));
        if (x == y)
            throw RequestException.Invalid($"x and y are both {x}; give two different latents{(session.LatentSize == 1 ? ", which this model does not have: interpolate instead" : "")}.");
        var seed = content.Whole(Seed);
        var origin = seed is null ? new float[session.LatentSize] : (await session.DrawAsync(1, (ulong)seed, 1, cancellation))[0];
        var latents = Manifold.Grid(n, origin, x, y);
        var images = await session.DecodeAsync(latents, content.Labels(session, latents.Length), cancellation);

        request.HttpContext.Response.DescribeSeed(seed);
        return Answers.Pictures(kind, images, n,
            () => new { session.Model, session.Version, x, y, images = images.Select((image, i) => new { latent = latents[i], png = ImageCodec.EncodePng(image) }) });

        int Axis(Field field, int otherwise) => content.Whole(field with { Most = session.LatentSize - 1 }, Math.Min(otherwise, session.LatentSize - 1));
    }
}
