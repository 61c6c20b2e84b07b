using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>Fills the part of an image that a mask marks with what the model expects there; all else stays as it is.</summary>
public sealed class InpaintFunction(ModelProvider models, RequestImages images)
{
    static readonly Field Mask = new("mask", FieldType.Image, "The mask, of the image's size: white is filled, black is kept.");
    static readonly Field Iterations = Field.Whole("iterations", 1, 200, "Ways through the model and back, at most; 30 unless given.");
    static readonly Field[] Fields = [Field.Image, Mask, Iterations, Field.Label];

    [Function("Inpaint")]
    [Describes("Fill the masked part of an image.", Fields = nameof(Fields), Answers = ["image/png", "application/json"])]
    public async Task<IActionResult> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/inpaint")] HttpRequest request, string model, CancellationToken cancellation)
    {
        var kind = Accept.Choose(request, AnswerKind.Png, AnswerKind.Json);
        using var session = await models.LeaseAsync(request, model, cancellation);
        var content = await RequestContent.ReadAsync(request, Fields, cancellation);
        var iterations = content.Whole(Iterations, 30);
        var original = (await images.ReadAsync(content, Field.Image, session.Shape, cancellation))[0];
        if (!content.Has(Mask))
            throw RequestContent.Missing(Mask);
        var mask = (await images.ReadAsync(content, Mask, session.Shape with { Channels = 1 }, cancellation))[0];
        if (mask.OriginalSize != original.OriginalSize)
            throw RequestException.Invalid($"The image is {original.OriginalSize} and the mask {mask.OriginalSize}; they must be of one size.");
        var hole = Array.ConvertAll(mask.Image.Pixels, pixel => pixel >= 128);
        if (!hole.Contains(false))
            throw RequestException.Invalid("The mask covers the whole image; leave something to go by, or draw a sample instead.");
        var labels = content.Labels(session, 1);
        var filled = await Inpainting.FillAsync(original.Image.Pixels, hole, iterations, async pixels =>
            (await session.DecodeAsync((await session.EncodeAsync(pixels, labels, cancellation)).Mean, labels, cancellation))[0].Pixels);

        request.HttpContext.Response.DescribeResizing(session, [original]);
        var result = new Image(session.Shape, filled);
        return Answers.Pictures(kind, [result], 1, () => new { session.Model, session.Version, filled = hole.Count(missing => missing), png = ImageCodec.EncodePng(result) });
    }
}
