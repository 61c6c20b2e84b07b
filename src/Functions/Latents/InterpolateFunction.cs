using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>Goes from one image or latent to the next: a strip, a ZIP, an animated PNG, or JSON.</summary>
public sealed class InterpolateFunction(ModelCalls calls, RequestLatents latents)
{
    static readonly Field Stops = new("stops", FieldType.Points, "The stops, two or more, each an image, a latent or a seed.");
    static readonly Field Steps = Field.Whole("steps", 2, 256, "Images from one stop to the next, both counted; 8 unless given.");
    static readonly Field Method = Field.Choice("method", "Along the great circle, or in a straight line.", "slerp", "lerp");
    static readonly Field Milliseconds =
        Field.Whole("milliseconds", 10, 10_000, "How long an animation shows each image; 100 unless given.");
    static readonly Field[] Fields = [Stops, Steps, Method, Milliseconds, Field.Label, Field.Version];
    static readonly AnswerKind[] Offers = [AnswerKind.Png, AnswerKind.Json, AnswerKind.Zip, AnswerKind.Apng];

    [Function("Interpolate")]
    [Describes("Go from stop to stop through the latent space.", Fields = nameof(Fields), Offers = nameof(Offers))]
    public async Task<Answer<PathAnswer>> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/interpolate")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Fields, Offers, cancellation);
        var (steps, milliseconds) = (call.Content.Whole(Steps, 8), call.Content.Whole(Milliseconds, 100));
        var method = call.Content.Choice(Method) == "lerp" ? InterpolationKind.Lerp : InterpolationKind.Slerp;
        var stops = await latents.ReadAsync(call, Stops, inSum: false);
        if (stops.Count < 2)
            throw RequestException.Invalid($"There is {stops.Count} stop; give at least two to go from one to the other.");
        call.CheckAnswer((stops.Count - 1L) * (steps - 1) + 1);
        var path = Interpolation.Path([.. stops.Select(stop => stop.Latent)], steps, method);
        var images = await call.DecodeAsync(path, call.Labels(path.Length));

        call.DescribeResizing(LatentPoint.ImagesOf(stops));
        return call.Pictures(images, images.Length, () => new PathAnswer(call.Model, call.Version,
            [.. images.Select((image, i) => new LatentImage(path[i], ImageCodec.EncodePng(image)))]), milliseconds);
    }
}

/// <summary>A way through the latent space, from the first stop to the last.</summary>
public sealed record PathAnswer(string Model, string Version, IReadOnlyList<LatentImage> Images);

/// <summary>A latent vector and its image.</summary>
public sealed record LatentImage(float[] Latent, byte[] Png);
