using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>Makes variants of images: draws around each posterior, μ + spread · σ · ε.</summary>
public sealed class AugmentFunction(ModelProvider models, RequestImages images, IOptions<ServingOptions> options)
{
    static readonly Field Count = Field.Whole("count", 1, 4096, "Variants of each image; 8 unless given.");
    static readonly Field Spread = Field.Number("spread", 0, 10, "How far they stray, in standard deviations of the posterior; 1 unless given.");
    static readonly Field[] Fields = [Field.Images, Count, Spread, Field.Seed, Field.Label];

    [Function("Augment")]
    [Describes("Make variants of images around their posteriors.", Fields = nameof(Fields), Answers = ["application/zip", "image/png", "application/json"])]
    public async Task<IActionResult> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/augment")] HttpRequest request, string model, CancellationToken cancellation)
    {
        var kind = Accept.Choose(request, AnswerKind.Zip, AnswerKind.Png, AnswerKind.Json);
        using var session = await models.LeaseAsync(request, model, cancellation);
        var content = await RequestContent.ReadAsync(request, Fields, cancellation);
        var (count, spread, seed) = (content.Whole(Count, 8), (float)content.Number(Spread, 1), content.SeedOrRandom());
        var originals = await images.ReadAsync(content, Field.Images, session.Shape, cancellation);
        options.Value.CheckAnswer((long)count * originals.Count, session.Shape);
        var labels = content.Labels(session, originals.Count);
        var posterior = await session.EncodeAsync(originals, labels, cancellation);
        float[][] latents = [.. originals.SelectMany((_, image) => Enumerable.Range(0, count).Select(variant =>
            Draw(posterior.Mean[image], posterior.LogVariance[image], spread, new RandomStream((ulong)seed, $"augment {variant}", (ulong)image))))];
        var results = await session.DecodeAsync(latents, labels is null ? null : [.. labels.SelectMany(label => Enumerable.Repeat(label, count))], cancellation);

        request.HttpContext.Response.DescribeSeed(seed);
        request.HttpContext.Response.DescribeResizing(session, originals);
        return Answers.Pictures(kind, results, count, () => new
        {
            session.Model,
            session.Version,
            seed,
            spread,
            images = results.Select((image, i) => new { of = i / count, latent = latents[i], png = ImageCodec.EncodePng(image) }),
        });
    }

    static float[] Draw(float[] mean, float[] logVariance, float spread, RandomStream random) =>
        [.. mean.Select((value, i) => value + spread * MathF.Exp(0.5f * logVariance[i]) * random.NextGaussian())];
}
