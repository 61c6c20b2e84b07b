using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>Gives the image of each latent vector.</summary>
public sealed class DecodeFunction(ModelCalls calls)
{
    static readonly Field Latents = new("latents", FieldType.Latents, "The latent vectors, [[…], …] or one […].");
    static readonly Field[] Fields = [Latents, Field.Label, Field.Version];
    static readonly AnswerKind[] Offers = Accept.Pictures;

    [Function("Decode")]
    [Describes("Give the images of latent vectors.", Fields = nameof(Fields), Offers = nameof(Offers))]
    public async Task<Answer<DecodeAnswer>> Run(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/decode")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Fields, Offers, cancellation);
        var latents = RequestLatents.Vectors(call, Latents);
        call.CheckAnswer(latents.Length);
        var images = await call.DecodeAsync(latents, call.Labels(latents.Length));

        return call.Pictures(images, Answers.Square(images.Length), () => new DecodeAnswer(call.Model, call.Version,
            [.. images.Select(image => new DecodedImage(ImageCodec.EncodePng(image)))]));
    }
}

/// <summary>The images of latent vectors, in their order.</summary>
public sealed record DecodeAnswer(string Model, string Version, IReadOnlyList<DecodedImage> Images);

/// <summary>The image of a latent vector.</summary>
public sealed record DecodedImage(byte[] Png);
