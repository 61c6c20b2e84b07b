using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>Sends images through a model and back: the reconstruction of one, a sheet of pairs of several, JSON, or a ZIP.</summary>
public sealed class ReconstructFunction(ModelProvider models, RequestImages images)
{
    static readonly Field As = new("as", FieldType.Labels, "Another label, to draw what the latents say as that: all stays but what the label says.");
    static readonly Field[] Fields = [Field.Images, Field.Label, As];

    [Function("Reconstruct")]
    [Describes("Send images through the posterior's mean and back.", Fields = nameof(Fields), Answers = ["image/png", "application/json", "application/zip"])]
    public async Task<IActionResult> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/reconstruct")] HttpRequest request, string model, CancellationToken cancellation)
    {
        var kind = Accept.Choose(request);
        using var session = await models.LeaseAsync(request, model, cancellation);
        var content = await RequestContent.ReadAsync(request, Fields, cancellation);
        var originals = await images.ReadAsync(content, Field.Images, session.Shape, cancellation);
        var labels = content.Labels(session, originals.Count);
        var drawnAs = content.Has(As) ? content.Labels(As, session, originals.Count) : labels;
        var results = await Reconstruction.OfAsync(originals, labels, session, cancellation, drawnAs);

        request.HttpContext.Response.DescribeResizing(session, originals);
        if (kind == AnswerKind.Png && results.Length > 1)
            return Answers.Png(Pairs(results));
        return Answers.Pictures(kind, [.. results.Select(result => result.Image)], 1, () => new
        {
            session.Model,
            session.Version,
            images = results.Select(result => new
            {
                result.Mean,
                result.LogVariance,
                result.Error,
                result.Original.OriginalSize,
                result.Original.Resized,
                png = ImageCodec.EncodePng(result.Image),
            }),
        });
    }

    /// <summary>Each original, as the model saw it, with its reconstruction at its right; about as many rows as columns.</summary>
    static Image Pairs(Reconstruction[] results) => ImageGrid.Compose(
        [.. results.SelectMany(result => new[] { result.Original.Image, result.Image })],
        columns: 2 * (int)Math.Ceiling(Math.Sqrt(results.Length / 2.0)));
}
