using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>Draws images from a model's prior: a grid, JSON with the latents, or a ZIP.</summary>
public sealed class SampleFunction(ModelCalls calls)
{
    static readonly Field Count = Field.Whole("count", 1, 4096, "How many; 16 unless given, at most Serving__MaxSampleCount.");
    internal static readonly Field Temperature = Field.Number("temperature", 0, 10,
        "How far from the mean: the prior's standard deviation, or what divides the logits of codes.");
    static readonly Field[] Fields = [Count, Field.Seed, Temperature, Field.Label, Field.Version];
    static readonly AnswerKind[] Offers = Accept.Pictures;

    [Function("Sample")]
    [Describes("Draw images from the prior.", Fields = nameof(Fields), Offers = nameof(Offers))]
    public async Task<Answer<SampleAnswer>> Run(
        [HttpTrigger(AuthorizationLevel.Function, "get", "post", Route = "models/{model}/sample")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Fields, Offers, cancellation);
        var count = call.Content.Whole(Count with { Most = call.Options.MaxSampleCount }, 16);
        var (seed, temperature) = (call.Content.SeedOrRandom(), (float)call.Content.Number(Temperature, 1));
        call.CheckAnswer(count);
        var latents = await call.Session.DrawAsync(count, (ulong)seed, temperature, cancellation);
        var labels = call.LabelsOrAll(count);
        var images = await call.DecodeAsync(latents, labels);

        call.DescribeSeed(seed);
        return call.Pictures(images, Answers.Square(count), () => new SampleAnswer(call.Model, call.Version, seed, temperature,
            [.. images.Select((image, i) =>
                new Sample(latents[i], labels?[i], call.LabelName(labels?[i]), ImageCodec.EncodePng(image)))]));
    }
}

/// <summary>Images drawn from the prior.</summary>
/// <param name="Seed">What draws the same ones again.</param>
public sealed record SampleAnswer(string Model, string Version, long Seed, float Temperature, IReadOnlyList<Sample> Images);

/// <summary>An image drawn from the prior.</summary>
/// <param name="Label">What it was to show, for a conditional model: a label's number.</param>
/// <param name="LabelName">That label's name.</param>
public sealed record Sample(float[] Latent, long? Label, string? LabelName, byte[] Png);
