using System.Text.Json.Nodes;
using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>Gives an image more or less of some concepts, in one strength or a strip of them.</summary>
public sealed class EditFunction(ModelCalls calls, RequestLatents latents)
{
    internal static readonly Field Concepts = new("concepts", FieldType.Strengths,
        "Concepts with their strengths, such as {\"glasses\": 1, \"smile\": -0.5}.");
    internal static readonly Field Strengths = new("strengths", FieldType.Numbers,
        "Multiples of the whole edit, an image for each; [1] unless given.")
    { Least = -100, Most = 100 };
    static readonly Field[] Fields =
        [Field.Image, Concepts, Strengths, Field.Examples, Field.Direction, Field.Label, Field.Version];
    static readonly AnswerKind[] Offers = Accept.Pictures;

    [Function("Edit")]
    [Describes("Give an image more or less of some concepts.", Fields = nameof(Fields), Offers = nameof(Offers))]
    public async Task<Answer<EditAnswer>> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/edit")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Fields, Offers, cancellation);
        var strengths = call.Content.Numbers(Strengths, call.Options.MaxSampleCount) ?? [1];
        call.CheckAnswer(strengths.Length);
        var originals = await call.ImagesAsync(Field.Image);
        var edit = await EditAsync(call, latents);
        var latent = (await call.EncodeAsync(originals, call.Labels(1))).Mean[0];
        var edited = Edited(latent, edit, strengths);
        var results = await call.DecodeAsync(edited, call.Labels(edited.Length));

        call.DescribeResizing(originals);
        return call.Pictures(results, results.Length, () => new EditAnswer(call.Model, call.Version,
            [.. results.Select((image, i) => new EditedImage(strengths[i], edited[i], ImageCodec.EncodePng(image)))]));
    }

    /// <summary>A latent with each multiple of an edit.</summary>
    internal static float[][] Edited(float[] latent, float[] edit, float[] strengths) =>
        [.. strengths.Select(strength => Arithmetic.Sum([(1, latent), (strength, edit)]))];

    /// <summary>The sum of all concepts, each times its strength.</summary>
    internal static async Task<float[]> EditAsync(ModelCall call, RequestLatents latents)
    {
        if (call.Content[Concepts] is not JsonObject { Count: > 0 and <= 64 } wanted)
        {
            throw call.Content.Has(Concepts)
                ? RequestContent.Wrong(Concepts, RequestContent.Shortened(call.Content.Text(Concepts) ?? "null"))
                : RequestContent.Missing(Concepts);
        }
        var terms = new List<(float, float[])>();
        foreach (var (name, node) in wanted)
        {
            if (!JsonNumbers.TryFloat(node, out var strength) || Math.Abs(strength) > 100)
            {
                throw RequestException.Invalid($"concepts.{RequestContent.Shortened(name)} is {RequestContent.Shortened(node)}; "
                    + "give a number from -100 to 100.");
            }
            terms.Add((strength, RequestLatents.DirectionOf(call, await latents.ConceptAsync(call, name))));
        }
        return Arithmetic.Sum(terms);
    }
}

/// <summary>An image with more or less of some concepts.</summary>
public sealed record EditAnswer(string Model, string Version, IReadOnlyList<EditedImage> Images);

/// <summary>An image after an edit.</summary>
/// <param name="Strength">The multiple of the whole edit.</param>
public sealed record EditedImage(float Strength, float[] Latent, byte[] Png);
