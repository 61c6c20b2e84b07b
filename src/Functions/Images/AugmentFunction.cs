using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>Makes variants of images, which stray from them as training images stray from one another.</summary>
public sealed class AugmentFunction(ModelCalls calls)
{
    static readonly Field Count = Field.Whole("count", 1, 4096, "Variants of each image; 8 unless given.");
    internal static readonly Field Spread = Field.Number(
        "spread", 0, 10, "How far they stray: 0 is the image as the model gives it back, 1 a clear variation, 10 hardly the "
            + "image any more; 1 unless given.");

    /// <summary>The part of the training codes' own spread that a spread of 1 adds: a fifth of the variance is then
    /// new.</summary>
    const float Unit = 0.5f;

    static readonly Field[] Fields = [Field.Images, Count, Spread, Field.Seed, Field.Label, Field.Version];
    static readonly AnswerKind[] Offers = [AnswerKind.Zip, AnswerKind.Png, AnswerKind.Json];

    [Function("Augment")]
    [Describes("Make variants of images around their latents.", Fields = nameof(Fields), Offers = nameof(Offers))]
    public async Task<Answer<AugmentAnswer>> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/augment")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Fields, Offers, cancellation);
        var (count, spread, seed) = (call.Content.Whole(Count, 8), (float)call.Content.Number(Spread, 1),
            call.Content.SeedOrRandom());
        var originals = await call.ImagesAsync(Field.Images);
        call.CheckAnswer((long)count * originals.Count);
        var labels = call.Labels(originals.Count);
        var posterior = await call.EncodeAsync(originals, labels);
        float[][] latents = [.. posterior.Mean.SelectMany((mean, image) =>
            Variants(call.Session, mean, count, spread, seed, image))];
        var results = await call.DecodeAsync(
            latents, labels is null ? null : [.. labels.SelectMany(label => Enumerable.Repeat(label, count))]);

        call.DescribeSeed(seed);
        call.DescribeResizing(originals);
        return call.Pictures(results, count, () => new AugmentAnswer(call.Model, call.Version, seed, spread,
            [.. results.Select((image, i) => new Variant(i / count, latents[i], ImageCodec.EncodePng(image)))]));
    }

    /// <summary>The latents of an image's variants.</summary>
    /// <param name="image">Its place in the request.</param>
    internal static float[][] Variants(ModelSession session, float[] latent, int count, float spread, long seed, int image) =>
        [.. Enumerable.Range(0, count).Select(variant => session.Axes.Vary(
            latent, Unit * spread, new RandomStream((ulong)seed, $"augment {variant}", (ulong)image)))];
}

/// <summary>Variants of images, those of the first image first.</summary>
/// <param name="Seed">What draws the same ones again.</param>
/// <param name="Spread">How far they stray.</param>
public sealed record AugmentAnswer(string Model, string Version, long Seed, float Spread, IReadOnlyList<Variant> Images);

/// <summary>A variant of an image.</summary>
/// <param name="Of">The place of its image in the request, from 0.</param>
public sealed record Variant(int Of, float[] Latent, byte[] Png);
