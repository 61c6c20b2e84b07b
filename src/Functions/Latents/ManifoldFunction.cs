using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>Shows the latent space along two axes, in equal steps of probability under the prior.</summary>
public sealed class ManifoldFunction(ModelCalls calls)
{
    static readonly Field Size = Field.Whole("n", 1, 64, "Images along each axis; 10 unless given.");
    static readonly Field X = Field.Whole("x", 0, 65535, "The latent that rises to the right; 0 unless given.");
    static readonly Field Y = Field.Whole("y", 0, 65535, "The latent that rises to the top; 1 unless given.");
    static readonly Field Seed = Field.Seed with { Description = "Draws the other latents; they are 0 unless it is given." };
    static readonly Field[] Fields = [Size, X, Y, Seed, Field.Label, Field.Version];
    static readonly AnswerKind[] Offers = Accept.Pictures;

    [Function("Manifold")]
    [Describes("Show the latent space along two axes.", Fields = nameof(Fields), Offers = nameof(Offers))]
    public async Task<Answer<ManifoldAnswer>> Run(
        [HttpTrigger(AuthorizationLevel.Function, "get", "post", Route = "models/{model}/manifold")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Fields, Offers, cancellation);
        var n = call.Content.Whole(Size, 10);
        call.Session.RequireNormalPrior();
        call.CheckAnswer(n * n);
        var (x, y) = Axes(call);
        var seed = call.Content.Whole(Seed);
        var origin = seed is null
            ? new float[call.Session.LatentSize]
            : (await call.Session.DrawAsync(1, (ulong)seed, 1, cancellation))[0];
        var latents = Manifold.Grid(n, origin, x, y);
        var images = await call.DecodeAsync(latents, call.Labels(latents.Length));

        if (seed is { } given)
            call.DescribeSeed(given);
        return call.Pictures(images, n, () => new ManifoldAnswer(call.Model, call.Version, x, y,
            [.. images.Select((image, i) => new LatentImage(latents[i], ImageCodec.EncodePng(image)))]));
    }

    static (int X, int Y) Axes(ModelCall call)
    {
        var last = call.Session.LatentSize - 1;
        var (x, y) = (Axis(X, 0), Axis(Y, 1));
        return x != y ? (x, y) : throw RequestException.Invalid($"x and y are both {x}; give two different latents"
            + $"{(last == 0 ? ", which this model does not have: interpolate instead" : "")}.");

        int Axis(Field field, int otherwise) => call.Content.Whole(field with { Most = last }, Math.Min(otherwise, last));
    }
}

/// <summary>The latent space along two axes, row by row, the largest y first.</summary>
/// <param name="X">The latent that rises to the right.</param>
/// <param name="Y">The latent that rises to the top.</param>
public sealed record ManifoldAnswer(string Model, string Version, int X, int Y, IReadOnlyList<LatentImage> Images);
