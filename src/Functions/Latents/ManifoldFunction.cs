using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>Shows the latent space along two axes, in equal steps of probability: those along which training codes vary most, or
/// single latents.</summary>
public sealed class ManifoldFunction(ModelCalls calls)
{
    static readonly Field Size = Field.Whole("n", 1, 64, "Images along each axis; 10 unless given.");
    static readonly Field Along = Field.Choice("along",
        "Along the principal axes of training codes, by their number from 0, the one with the most spread; "
            + "or along single latents.",
        "principal", "latents");
    static readonly Field X = Field.Whole("x", 0, 65535, "The axis that rises to the right; 0 unless given.");
    static readonly Field Y = Field.Whole("y", 0, 65535, "The axis that rises to the top; 1 unless given.");
    static readonly Field Image =
        Field.Image with { Description = "What lies in the middle; the training codes' mean unless given." };
    static readonly Field Seed = Field.Seed with { Description = "Draws what lies in the middle." };
    static readonly Field[] Fields = [Size, Along, X, Y, Image, Seed, Field.Label, Field.Version];
    static readonly AnswerKind[] Offers = Accept.Pictures;

    [Function("Manifold")]
    [Describes("Show the latent space along two axes.", Fields = nameof(Fields), Offers = nameof(Offers))]
    public async Task<Answer<ManifoldAnswer>> Run(
        [HttpTrigger(AuthorizationLevel.Function, "get", "post", Route = "models/{model}/manifold")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Fields, Offers, cancellation);
        var n = call.Content.Whole(Size, 10);
        call.Session.RequireAxes();
        call.CheckAnswer(n * n);
        var (axes, single) = (call.Session.Axes, call.Content.Choice(Along) == "latents");
        var (x, y) = Axes(call, single ? call.Session.LatentSize : axes.Axes.Length);
        var seed = call.Content.Whole(Seed);
        var origin = await OriginAsync(call, seed);
        var latents = single ? Manifold.Grid(n, origin ?? axes.Mean, x, y) : Manifold.Grid(n, axes, x, y, origin);
        var images = await call.DecodeAsync(latents, call.Labels(latents.Length));

        if (seed is { } given)
            call.DescribeSeed(given);
        return call.Pictures(images, n, () => new ManifoldAnswer(call.Model, call.Version, x, y,
            [.. images.Select((image, i) => new LatentImage(latents[i], ImageCodec.EncodePng(image)))]));
    }

    /// <summary>What lies in the middle; null for the training codes' mean.</summary>
    static async Task<float[]?> OriginAsync(ModelCall call, long? seed)
    {
        if (!call.Content.Has(Image))
            return seed is null ? null : (await call.Session.DrawAsync(1, (ulong)seed, 1, call.Cancellation))[0];
        if (seed is not null)
            throw RequestException.Invalid("There are both an image and a seed; give one of them, which lies in the middle.");
        var originals = await call.ImagesAsync(Image);
        call.DescribeResizing(originals);
        return (await call.EncodeAsync(originals, call.Labels(1))).Mean[0];
    }

    static (int X, int Y) Axes(ModelCall call, int count)
    {
        var last = count - 1;
        var (x, y) = (Axis(X, 0), Axis(Y, 1));
        return x != y ? (x, y) : throw RequestException.Invalid($"x and y are both {x}; give two different axes"
            + $"{(last == 0 ? ", which this model does not have: interpolate instead" : "")}.");

        int Axis(Field field, int otherwise) => call.Content.Whole(field with { Most = last }, Math.Min(otherwise, last));
    }
}

/// <summary>The latent space along two axes, row by row, the largest y first.</summary>
/// <param name="X">The axis that rises to the right.</param>
/// <param name="Y">The axis that rises to the top.</param>
public sealed record ManifoldAnswer(string Model, string Version, int X, int Y, IReadOnlyList<LatentImage> Images);
