using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>Sends images through a model and back: the reconstruction of one, a sheet of pairs of several, JSON, or a ZIP.</summary>
public sealed class ReconstructFunction(ModelProvider models, RequestImages images)
{
    [Function("Reconstruct")]
    public async Task<IActionResult> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/reconstruct")] HttpRequest request, string model, CancellationToken cancellation)
    {
        var kind = Accept.Choose(request);
        using var session = await models.LeaseAsync(model, cancellation);
        var originals = await images.ReadAsync(request, session.Shape, cancellation);
        var labels = RequestLabels.For(session, Query(request, "label"), originals.Count);
        var drawnAs = Query(request, "as") is { } other ? RequestLabels.For(session, other, originals.Count) : null;
        var results = Reconstruction.Of(originals, labels, session, drawnAs);

        request.HttpContext.Response.Describe(session);
        request.HttpContext.Response.DescribeResizing(session, originals);
        return kind switch
        {
            AnswerKind.Png => Answers.Png(results is [var only] ? only.Image : Pairs(results)),
            AnswerKind.Zip => Answers.Zip(results.Select(result => result.Image)),
            _ => Answers.Json(new
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
            }),
        };
    }

    static string? Query(HttpRequest request, string name) => request.Query.TryGetValue(name, out var value) ? value.ToString() : null;

    /// <summary>Each original, as the model saw it, with its reconstruction at its right; about as many rows as columns.</summary>
    static Image Pairs(Reconstruction[] results) => ImageGrid.Compose(
        [.. results.SelectMany(result => new[] { result.Original.Image, result.Image })],
        columns: 2 * (int)Math.Ceiling(Math.Sqrt(results.Length / 2.0)));
}
