using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>Draws images from a model's prior: a grid, JSON with the latents, or a ZIP.</summary>
public sealed class SampleFunction(ModelProvider models, IOptions<ServingOptions> options)
{
    static readonly Field Count = Field.Whole("count", 1, 4096, "How many; 16 unless given, at most Serving__MaxSampleCount.");
    static readonly Field Temperature = Field.Number("temperature", 0, 10, "How far from the mean: the prior's standard deviation, or what divides the logits of codes.");
    static readonly Field[] Fields = [Count, Field.Seed, Temperature, Field.Label];

    [Function("Sample")]
    [Describes("Draw images from the prior.", Fields = nameof(Fields), Answers = ["image/png", "application/json", "application/zip"])]
    public async Task<IActionResult> Run(
        [HttpTrigger(AuthorizationLevel.Function, "get", "post", Route = "models/{model}/sample")] HttpRequest request, string model, CancellationToken cancellation)
    {
        var kind = Accept.Choose(request);
        var content = await RequestContent.ReadAsync(request, Fields, cancellation);
        var count = content.Whole(Count with { Most = options.Value.MaxSampleCount }, 16);
        var seed = content.SeedOrRandom();
        var temperature = (float)content.Number(Temperature, 1);

        using var session = await models.LeaseAsync(request, model, cancellation);
        options.Value.CheckAnswer(count, session.Shape);
        var latents = await session.DrawAsync(count, (ulong)seed, temperature, cancellation);
        var labels = content.LabelsOrAll(session, count);
        var images = await session.DecodeAsync(latents, labels, cancellation);

        request.HttpContext.Response.DescribeSeed(seed);
        return Answers.Pictures(kind, images, Answers.Square(count), () => new
        {
            session.Model,
            session.Version,
            seed,
            temperature,
            images = images.Select((image, i) => new { latent = latents[i], label = labels?[i], png = ImageCodec.EncodePng(image) }),
        });
    }
}
