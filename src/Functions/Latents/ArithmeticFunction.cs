using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>Adds up weighted images, latents, concepts and seeds, and shows the image of the sum.</summary>
public sealed class ArithmeticFunction(ModelProvider models, RequestLatents latents)
{
    static readonly Field Terms = new("terms", FieldType.Points, "The terms, each an image, a latent, a concept or a seed, with a weight, 1 unless given.");
    static readonly Field[] Fields = [Terms, Field.Examples, Field.Direction, Field.Label];

    [Function("Arithmetic")]
    [Describes("Add up weighted images, latents, concepts and seeds.", Fields = nameof(Fields), Answers = ["image/png", "application/json"])]
    public async Task<IActionResult> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/arithmetic")] HttpRequest request, string model, CancellationToken cancellation)
    {
        var kind = Accept.Choose(request, AnswerKind.Png, AnswerKind.Json);
        using var session = await models.LeaseAsync(request, model, cancellation);
        var content = await RequestContent.ReadAsync(request, Fields, cancellation);
        var terms = await latents.ReadAsync(content, Terms, session, inSum: true, cancellation);
        if (terms is [])
            throw RequestException.Invalid("\"terms\" is empty; give at least one term.");
        var sum = Arithmetic.Sum([.. terms.Select(term => (term.Weight, term.Latent))]);
        var images = await session.DecodeAsync([sum], content.Labels(session, 1), cancellation);

        request.HttpContext.Response.DescribeResizing(session, terms.Select(term => term.Image).OfType<FittedImage>());
        return Answers.Pictures(kind, images, 1, () => new { session.Model, session.Version, latent = sum, png = ImageCodec.EncodePng(images[0]) });
    }
}
