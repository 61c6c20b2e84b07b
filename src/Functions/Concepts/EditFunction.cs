using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>Gives an image more or less of some concepts, in one strength or a strip of them.</summary>
public sealed class EditFunction(ModelProvider models, RequestImages images, RequestLatents latents, IOptions<ServingOptions> options)
{
    static readonly Field Concepts = new("concepts", FieldType.Strengths, "Concepts with their strengths, such as {\"glasses\": 1, \"smile\": -0.5}.");
    static readonly Field Strengths = new("strengths", FieldType.Numbers, "Multiples of the whole edit, an image for each; [1] unless given.") { Least = -100, Most = 100 };
    static readonly Field[] Fields = [Field.Image, Concepts, Strengths, Field.Examples, Field.Direction, Field.Label];

    [Function("Edit")]
    [Describes("Give an image more or less of some concepts.", Fields = nameof(Fields), Answers = ["image/png", "application/json", "application/zip"])]
    public async Task<IActionResult> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/edit")] HttpRequest request, string model, CancellationToken cancellation)
    {
        var kind = Accept.Choose(request);
        using var session = await models.LeaseAsync(request, model, cancellation);
        var content = await RequestContent.ReadAsync(request, Fields, cancellation);
        var strengths = content.Numbers(Strengths, options.Value.MaxSampleCount) ?? [1];
        options.Value.CheckAnswer(strengths.Length, session.Shape);
        var originals = await images.ReadAsync(content, Field.Image, session.Shape, cancellation);
        var edit = await EditAsync(content, session, cancellation);
        var latent = (await session.EncodeAsync(originals, content.Labels(session, 1), cancellation)).Mean[0];
        float[][] edited = [.. strengths.Select(strength => Arithmetic.Sum([(1, latent), (strength, edit)]))];
        var results = await session.DecodeAsync(edited, content.Labels(session, edited.Length), cancellation);

        request.HttpContext.Response.DescribeResizing(session, originals);
        return Answers.Pictures(kind, results, results.Length, () => new
        {
            session.Model,
            session.Version,
            images = results.Select((image, i) => new { strength = strengths[i], latent = edited[i], png = ImageCodec.EncodePng(image) }),
        });
    }

    /// <summary>The sum of all concepts, each times its strength.</summary>
    async Task<float[]> EditAsync(RequestContent content, ModelSession session, CancellationToken cancellation)
    {
        if (content[Concepts] is not JsonObject { Count: > 0 and <= 64 } wanted)
            throw content.Has(Concepts) ? RequestContent.Wrong(Concepts, content.Text(Concepts) ?? "null") : RequestContent.Missing(Concepts);
        var terms = new List<(float, float[])>();
        foreach (var (name, node) in wanted)
        {
            if (!JsonNumbers.TryFloat(node, out var strength) || Math.Abs(strength) > 100)
                throw RequestException.Invalid($"concepts.{RequestContent.Shortened(name)} is {RequestContent.Shortened(node?.ToJsonString() ?? "null")}; give a number from -100 to 100.");
            terms.Add((strength, RequestLatents.DirectionOf(content, await latents.ConceptAsync(content, name, session, cancellation))));
        }
        return Arithmetic.Sum(terms);
    }
}
