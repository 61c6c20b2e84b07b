using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>Goes from one image or latent to the next: a strip, a ZIP, an animated PNG, or JSON.</summary>
public sealed class InterpolateFunction(ModelProvider models, RequestLatents latents, IOptions<ServingOptions> options)
{
    static readonly Field Stops = new("stops", FieldType.Points, "The stops, two or more, each an image, a latent or a seed.");
    static readonly Field Steps = Field.Whole("steps", 2, 256, "Images from one stop to the next, both counted; 8 unless given.");
    static readonly Field Method = Field.Choice("method", "Along the great circle, or in a straight line.", "slerp", "lerp");
    static readonly Field Milliseconds = Field.Whole("milliseconds", 10, 10_000, "How long an animation shows each image; 100 unless given.");
    static readonly Field[] Fields = [Stops, Steps, Method, Milliseconds, Field.Label];

    [Function("Interpolate")]
    [Describes("Go from stop to stop through the latent space.", Fields = nameof(Fields), Answers = ["image/png", "application/json", "application/zip", "image/apng"])]
    public async Task<IActionResult> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/interpolate")] HttpRequest request, string model, CancellationToken cancellation)
    {
        var kind = Accept.Choose(request, AnswerKind.Png, AnswerKind.Json, AnswerKind.Zip, AnswerKind.Apng);
        using var session = await models.LeaseAsync(request, model, cancellation);
        var content = await RequestContent.ReadAsync(request, Fields, cancellation);
        var steps = content.Whole(Steps, 8);
        var method = content.Choice(Method) == "lerp" ? InterpolationKind.Lerp : InterpolationKind.Slerp;
        var milliseconds = content.Whole(Milliseconds, 100);
        var stops = await latents.ReadAsync(content, Stops, session, inSum: false, cancellation);
        if (stops.Count < 2)
            throw RequestException.Invalid($"There is {stops.Count} stop; give at least two to go from one to the other.");
        options.Value.CheckAnswer((stops.Count - 1L) * (steps - 1) + 1, session.Shape);
        var path = Interpolation.Path([.. stops.Select(stop => stop.Latent)], steps, method);
        var images = await session.DecodeAsync(path, content.Labels(session, path.Length), cancellation);

        request.HttpContext.Response.DescribeResizing(session, stops.Select(stop => stop.Image).OfType<FittedImage>());
        return Answers.Pictures(kind, images, images.Length,
            () => new { session.Model, session.Version, images = images.Select((image, i) => new { latent = path[i], png = ImageCodec.EncodePng(image) }) }, milliseconds);
    }
}
