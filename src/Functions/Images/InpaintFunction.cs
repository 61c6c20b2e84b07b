using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>Fills the part of an image that a mask marks with what the model expects there; all else stays as it is.</summary>
public sealed class InpaintFunction(ModelCalls calls)
{
    static readonly Field Mask = new("mask", FieldType.Image, "The mask, of the image's size: white is filled, black is kept.");
    static readonly Field Iterations =
        Field.Whole("iterations", 1, 200, "Ways through the model and back, at most; 30 unless given.");
    static readonly Field[] Fields = [Field.Image, Mask, Iterations, Field.Label, Field.Version];
    static readonly AnswerKind[] Offers = [AnswerKind.Png, AnswerKind.Json];

    [Function("Inpaint")]
    [Describes("Fill the masked part of an image.", Fields = nameof(Fields), Offers = nameof(Offers))]
    public async Task<Answer<InpaintAnswer>> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/inpaint")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Fields, Offers, cancellation);
        var iterations = call.Content.Whole(Iterations, 30);
        var original = (await call.ImagesAsync(Field.Image))[0];
        var hole = await HoleAsync(call, original);
        var labels = call.Labels(1);
        var filled = await Inpainting.FillAsync(original.Image.Pixels, hole, iterations, async pixels =>
        {
            var posterior = await call.Session.EncodeAsync(pixels, labels, cancellation);
            return (await call.DecodeAsync(posterior.Mean, labels))[0].Pixels;
        });

        call.DescribeResizing([original]);
        var result = new Image(call.Session.Shape, filled);
        return call.Pictures([result], 1, () =>
            new InpaintAnswer(call.Model, call.Version, hole.Count(missing => missing), ImageCodec.EncodePng(result)));
    }

    /// <summary>Which pixels are missing, as the mask says.</summary>
    static async Task<bool[]> HoleAsync(ModelCall call, FittedImage original)
    {
        if (!call.Content.Has(Mask))
            throw RequestContent.Missing(Mask);
        var mask = await call.MaskAsync(Mask);
        if (mask.OriginalSize != original.OriginalSize)
        {
            throw RequestException.Invalid(
                $"The image is {original.OriginalSize} and the mask {mask.OriginalSize}; they must be of one size.");
        }
        var hole = Array.ConvertAll(mask.Image.Pixels, pixel => pixel >= 128);
        return hole.Contains(false)
            ? hole
            : throw RequestException.Invalid(
                "The mask covers the whole image; leave something to go by, or draw a sample instead.");
    }
}

/// <summary>An image with its hole filled.</summary>
/// <param name="Filled">How many pixels were filled, at the model's size.</param>
public sealed record InpaintAnswer(string Model, string Version, int Filled, byte[] Png);
