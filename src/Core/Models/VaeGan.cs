using System.Text.Json.Serialization;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;
using static VaeFunctions.Models.Layers.Build;

namespace VaeFunctions.Models;

/// <summary>The options of <see cref="VaeGan"/>, besides those of its VAE.</summary>
public sealed record VaeGanOptions : ConvVaeOptions
{
    /// <summary>Channels of the discriminator's stages, outermost first; each halves the image.</summary>
    public required IReadOnlyList<int> Discriminator { get; init; }

    /// <summary>The weight of the squared error in the discriminator's features, 0 or more.</summary>
    public float FeatureWeight { get; init; } = 1;

    /// <summary>The weight of the likelihood of pixels in what is minimised, 0 or more; it is reported whole.</summary>
    public float PixelWeight { get; init; } = 0.1f;

    /// <summary>The weight of being taken for real, 0 or more.</summary>
    public float AdversaryWeight { get; init; } = 1;

    [JsonIgnore]
    public override string Kind => "vae-gan";

    private protected override Vae Build(ParameterSet parameters)
    {
        CheckAll();
        Check(Discriminator, 10, 4096, "discriminator");
        CheckWeight(FeatureWeight, "featureWeight");
        CheckWeight(PixelWeight, "pixelWeight");
        CheckWeight(AdversaryWeight, "adversaryWeight");
        return new VaeGan(parameters, this);

        static void CheckWeight(float weight, string name)
        {
            if (!(weight >= 0 && float.IsFinite(weight)))
                throw new ModelOptionsException($"model.{name} is {weight}; it must be 0 or more.");
        }
    }
}

/// <summary>A VAE whose reconstructions are judged by the features of a discriminator that learns to tell them from images, and
/// that it learns to deceive. (Larsen et al. 2016, "Autoencoding beyond pixels using a learned similarity metric", algorithm
/// 1)</summary>
/// <remarks>
/// Both sides learn in one step from one loss: where the discriminator judges, its weights are frozen, and where it learns, the
/// images are. It is held back while it is far ahead of the decoder, so that neither runs away. Drawn images come from the prior:
/// the noise itself. What is published and measured is the VAE alone.
/// </remarks>
public sealed class VaeGan : ConvVae
{
    /// <summary>The discriminator's mean loss, in nats, below which it waits; log 2 is a blind guess.</summary>
    const float FarAhead = 0.3f;

    readonly VaeGanOptions options;
    readonly Sequential features, judgement;

    /// <exception cref="ShapeException">The image cannot be halved once for every stage.</exception>
    public VaeGan(ParameterSet parameters, VaeGanOptions options)
        : base(parameters, options)
    {
        this.options = options;
        var channels = options.Discriminator;
        var factor = 1 << channels.Count;
        if (Image.Height % factor != 0 || Image.Width % factor != 0)
            throw new ShapeException($"VaeGan: images are {Image} but the discriminator's {channels.Count} stages halve them; "
                + $"height and width must be multiples of {factor}.");
        var flat = channels[^1] * (Image.Height / factor) * (Image.Width / factor);

        var scope = parameters.Root / "discriminator";
        features = new(scope / "features",
            Stages([Image.Channels + Classes, .. channels], (from, to) => [Conv(from, to, new(4, 2, 1)), LeakyRelu(0.2f)]));
        judgement = new(scope / "judgement", [Flatten, Linear(flat, 1)]);
    }

    protected override NegativeElbo TermsOf(Tensor images, Tensor? condition, Tensor noise)
    {
        var backend = images.Backend;
        if (!backend.IsTraining) return base.TermsOf(images, condition, noise);
        if (noise.Shape[0] != images.Shape[0])
            throw new ModelOptionsException("A vae-gan draws one latent for each image; leave objective.samples out.");

        var posterior = Encode(images, condition);
        // In one batch, so that batch normalisation's statistics are of both.
        var decoded = Decode(backend.Concat(0, posterior.Sample(noise), noise),
            condition is null ? null : backend.Concat(0, condition, condition));
        var count = images.Shape[0];
        Tensor reconstructed = decoded.Slice(0, 0, count), drawn = decoded.Slice(0, count, count);
        var error = Likelihood.Reconstruction(reconstructed, images);
        Tensor similarity, deceit;
        using (backend.FreezeParameters())
        {
            similarity =
                backend.SquaredErrorSum(Features(reconstructed, condition), Features(images, condition).StopGradient()) * 0.5f;
            deceit = (-Judge(drawn, condition)).Softplus() + (-Judge(reconstructed, condition)).Softplus();
        }
        var adversary = (-Judge(images, condition)).Softplus() * 2
            + Judge(drawn.StopGradient(), condition).Softplus() + Judge(reconstructed.StopGradient(), condition).Softplus();
        var ahead = adversary.Mean().ToScalar() / 4 < FarAhead;
        return new(error * options.PixelWeight + (error * (1 - options.PixelWeight)).StopGradient(),
            posterior.KlToStandardNormal(), posterior.LogRatio(noise))
        {
            Decoded = reconstructed,
            Penalty = similarity.Sum() * options.FeatureWeight + deceit.Sum() * options.AdversaryWeight
                + adversary.Sum() * (ahead ? 0 : 1),
        };
    }

    /// <summary>What the discriminator sees: [N, C, H, W] → [N, C', H', W'].</summary>
    Tensor Features(Tensor images, Tensor? condition) => features.Forward(images.JoinPlanes(condition));

    /// <summary>The log odds that images are real: [N, 1].</summary>
    Tensor Judge(Tensor images, Tensor? condition) => judgement.Forward(Features(images, condition));
}
