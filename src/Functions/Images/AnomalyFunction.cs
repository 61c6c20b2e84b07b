using System.Globalization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>Says how strange images are to a model, where, and what that means beside the images it was tested with.</summary>
public sealed class AnomalyFunction(ModelProvider models, RequestImages images)
{
    static readonly Field[] Fields = [Field.Images, Field.Label];

    [Function("Anomaly")]
    [Describes("Score how strange images are to the model, with heat maps.", Fields = nameof(Fields), Answers = ["image/png", "application/json", "application/zip"])]
    public async Task<IActionResult> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/anomaly")] HttpRequest request, string model, CancellationToken cancellation)
    {
        var kind = Accept.Choose(request);
        using var session = await models.LeaseAsync(request, model, cancellation);
        var content = await RequestContent.ReadAsync(request, Fields, cancellation);
        var originals = await images.ReadAsync(content, Field.Images, session.Shape, cancellation);
        var results = await Reconstruction.OfAsync(originals, content.Labels(session, originals.Count), session, cancellation);
        Image[] maps = [.. results.Select(result => Anomaly.HeatMap(result.Original.Image, result.Image))];

        request.HttpContext.Response.DescribeResizing(session, originals);
        request.HttpContext.Response.Headers["X-Anomaly"] = string.Join(", ", results.Select(result => result.Error.ToString("G6", CultureInfo.InvariantCulture)));
        return Answers.Pictures(kind, maps, Answers.Square(maps.Length), () => new
        {
            session.Model,
            session.Version,
            images = results.Select((result, i) => Judge(session, result.Error) is var judgement
                ? new { score = result.Error, judgement.Percentile, judgement.Verdict, result.Original.OriginalSize, result.Original.Resized, heatMap = ImageCodec.EncodePng(maps[i]) }
                : null),
        });
    }

    /// <summary>What a score means; a model published without calibration has no verdict.</summary>
    internal static (double? Percentile, string Verdict) Judge(ModelSession session, double score)
    {
        if (session.Anomaly is not { } calibration)
            return (null, "not calibrated");
        var percentile = Anomaly.Percentile(calibration, score);
        return (percentile, Anomaly.Verdict(percentile));
    }
}
