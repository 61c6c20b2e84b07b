using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;

namespace VaeFunctions.Serving;

/// <summary>Gives the posterior of each image: its mean, which is its latent vector, and its log variance.</summary>
public sealed class EncodeFunction(ModelProvider models, RequestImages images)
{
    static readonly Field[] Fields = [Field.Images, Field.Label];

    [Function("Encode")]
    [Describes("Give the latent vectors of images.", Fields = nameof(Fields))]
    public async Task<IActionResult> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/encode")] HttpRequest request, string model, CancellationToken cancellation)
    {
        Accept.Choose(request, AnswerKind.Json);
        using var session = await models.LeaseAsync(request, model, cancellation);
        var content = await RequestContent.ReadAsync(request, Fields, cancellation);
        var originals = await images.ReadAsync(content, Field.Images, session.Shape, cancellation);
        var posterior = await session.EncodeAsync(originals, content.Labels(session, originals.Count), cancellation);

        request.HttpContext.Response.DescribeResizing(session, originals);
        return Answers.Json(new
        {
            session.Model,
            session.Version,
            images = originals.Select((original, i) => new { mean = posterior.Mean[i], logVariance = posterior.LogVariance[i], original.OriginalSize, original.Resized }),
        });
    }
}
