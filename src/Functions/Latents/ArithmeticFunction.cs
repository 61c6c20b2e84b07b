using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>Adds up weighted images, latents, concepts and seeds, and shows the image of the sum.</summary>
public sealed class ArithmeticFunction(ModelCalls calls, RequestLatents latents)
{
    static readonly Field Terms = new("terms", FieldType.Points,
        "The terms, each an image, a latent, a concept or a seed, with a weight, 1 unless given.");
    static readonly Field[] Fields = [Terms, Field.Examples, Field.Direction, Field.Label, Field.Version];
    static readonly AnswerKind[] Offers = [AnswerKind.Png, AnswerKind.Json];

    [Function("Arithmetic")]
    [Describes("Add up weighted images, latents, concepts and seeds.", Fields = nameof(Fields), Offers = nameof(Offers))]
    public async Task<Answer<ArithmeticAnswer>> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/arithmetic")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Fields, Offers, cancellation);
        var terms = await latents.ReadAsync(call, Terms, inSum: true);
        if (terms is [])
            throw RequestException.Invalid("\"terms\" is empty; give at least one term.");
        var sum = Arithmetic.Sum([.. terms.Select(term => (term.Weight, term.Latent))]);
        var images = await call.DecodeAsync([sum], call.Labels(1));

        call.DescribeResizing(LatentPoint.ImagesOf(terms));
        return call.Pictures(images, 1, () =>
            new ArithmeticAnswer(call.Model, call.Version, sum, ImageCodec.EncodePng(images[0])));
    }
}

/// <summary>A sum of latent vectors.</summary>
/// <param name="Png">The sum's image.</param>
public sealed record ArithmeticAnswer(string Model, string Version, float[] Latent, byte[] Png);
