using System.Text.Json.Serialization;
using VaeFunctions.Imaging;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>A variational autoencoder or a relative of one: q(z | x), p(x | z) and a latent vector whose prior is N(0, I).
/// (Kingma and Welling 2014)</summary>
/// <remarks>Noise is an input, never drawn inside: a model is a pure function on any back end. N = images, L = latent size, K =
/// classes, S = latents drawn for each image. Where labels condition the model, they are p(x | z, y) and q(z | x, y). (Sohn et
/// al. 2015)</remarks>
public abstract class Vae(ParameterSet parameters, ModelOptions options)
{
    public ParameterSet Parameters { get; } = parameters;

    public ImageShape Image { get; } = options.Image;

    public int LatentSize { get; } = options.LatentSize;

    /// <summary>The labels that condition the model; 0 where none do.</summary>
    public int Classes { get; } = options.Classes;

    public Likelihood Likelihood { get; } = options.Likelihood.Build(parameters.Root / "likelihood", options.Image);

    /// <summary>How its latents are drawn.</summary>
    public Prior Prior => Density is null ? OwnPrior : Prior.Fitted;

    /// <summary>How they are drawn as long as no <see cref="Density"/> was fitted to them.</summary>
    public virtual Prior OwnPrior => Prior.StandardNormal;

    /// <summary>What was fitted to its codes once its encoder had learnt; null before, and where the model's own prior does as
    /// well.</summary>
    public LatentDensity? Density { get; set; }

    /// <summary>Whether its terms bound −log p(x): not so where latents have no distribution.</summary>
    public virtual bool BoundsLikelihood => true;

    /// <summary>q(z | x)</summary>
    /// <param name="images">[N, C, H, W], in the likelihood's range.</param>
    /// <param name="condition">[N, K], 1 at the label and 0 elsewhere; null where the model has no classes.</param>
    public abstract Gaussian Encode(Tensor images, Tensor? condition = null);

    /// <summary>The parameters of p(x | z), which the likelihood interprets: [N, C, H, W].</summary>
    /// <param name="latent">[N, L]</param>
    /// <param name="condition">[N, K], as in <see cref="Encode"/>.</param>
    public abstract Tensor Decode(Tensor latent, Tensor? condition = null);

    /// <summary>The negative evidence lower bound's terms.</summary>
    /// <param name="pixels">[N, H, W, C], 0 to 255.</param>
    /// <param name="noise">[N · S, L], standard normal; rows n · S to n · S + S − 1 are image n's.</param>
    /// <param name="labels">[N], whole numbers below K; null where the model has no classes.</param>
    /// <exception cref="ArgumentException">There are labels but no classes, or classes but no labels.</exception>
    public NegativeElbo Terms(Tensor pixels, Tensor noise, Tensor? labels = null) =>
        TermsOf(Likelihood.FromPixels(pixels), Condition(labels), noise);

    /// <summary>What encoder.onnx computes.</summary>
    /// <param name="pixels">[N, H, W, C], 0 to 255.</param>
    /// <param name="labels">[N], as in <see cref="Terms"/>.</param>
    public Gaussian EncodePixels(Tensor pixels, Tensor? labels = null) =>
        Encode(Likelihood.FromPixels(pixels), Condition(labels));

    /// <summary>What decoder.onnx computes: [N, L] → whole pixels 0 to 255, [N, H, W, C].</summary>
    public Tensor DecodePixels(Tensor latent, Tensor? labels = null) => Likelihood.ToPixels(Decode(latent, Condition(labels)));

    /// <summary>log p of latent vectors under what they are drawn from, in nats: [N, L] → [N]; null where nothing says which are
    /// likely.</summary>
    public Tensor? LogPrior(Tensor latent) => (Density, this) switch
    {
        (not null, _) => Density.LogDensity(latent),
        (_, IAutoregressive quantised) => Autoregression.LogProbability(quantised, quantised.CodesOf(latent)),
        _ when OwnPrior == Prior.StandardNormal => (latent * latent).Sum(1) * -0.5f - 0.5f * LatentSize * MathF.Log(2 * MathF.PI),
        _ => null,
    };

    /// <summary>Whether <see cref="Fit"/> is to be called after every epoch.</summary>
    public virtual bool Fits => false;

    /// <summary>Fits what gradients do not teach, such as a prior of the codes, to some training images.</summary>
    /// <param name="pixels">[N, H, W, C], 0 to 255.</param>
    public virtual void Fit(Tensor pixels)
    {
    }

    /// <summary>q(z | x) for each of the noise's rows, [N · S, L]. A model whose latents depend on one another draws those above
    /// with the noise.</summary>
    internal virtual Gaussian Posterior(Tensor images, Tensor? condition, Tensor noise) =>
        Encode(images, condition).Repeat(noise.Shape[0] / images.Shape[0]);

    /// <summary>The same as <see cref="Terms"/>, of images in the likelihood's range, [N, C, H, W].</summary>
    protected virtual NegativeElbo TermsOf(Tensor images, Tensor? condition, Tensor noise)
    {
        var samples = noise.Shape[0] / images.Shape[0];
        var posterior = Posterior(images, condition, noise);
        var decoded = Decode(posterior.Sample(noise), condition?.Repeat(samples));
        return new(Likelihood.Reconstruction(decoded, images.Repeat(samples)), posterior.KlToStandardNormal(),
            posterior.LogRatio(noise))
        {
            Decoded = decoded,
        };
    }

    /// <summary>Labels as <see cref="Encode"/> and <see cref="Decode"/> take them.</summary>
    /// <param name="labels">[N], as in <see cref="Terms"/>.</param>
    /// <exception cref="ArgumentException">There are labels but no classes, or classes but no labels.</exception>
    public Tensor? Condition(Tensor? labels) => (labels, Classes) switch
    {
        (null, 0) => null,
        (null, _) => throw new ArgumentException($"The model is conditional on {Classes} labels, but none was given."),
        (_, 0) => throw new ArgumentException("A label was given, but the model is not conditional on labels."),
        _ => labels.OneHot(Classes),
    };
}

/// <summary>−ELBO = reconstruction + KL, for each of N · S draws.</summary>
/// <param name="Reconstruction">−log p(x | z) up to a constant, [N · S].</param>
/// <param name="Kl">KL(q ‖ p) of each latent, given those above it, in nats, [N · S, L].</param>
/// <param name="LogRatio">log q(z | x) − log p(z) of the latents drawn, [N · S]; its mean is the sum of
/// <paramref name="Kl"/>.</param>
public sealed record NegativeElbo(Tensor Reconstruction, Tensor Kl, Tensor LogRatio)
{
    /// <summary>What is minimised besides, such as a commitment or an adversary's loss: a scalar, summed over the
    /// batch.</summary>
    public Tensor? Penalty { get; init; }

    /// <summary>What the decoder made of the latents: [N · S, C, H, W], to be read by the likelihood.</summary>
    public Tensor? Decoded { get; init; }

    /// <summary>How unlike images and reconstructions look to a pretrained network, where the recipe asks for it:
    /// [N · S].</summary>
    public Tensor? Perceptual { get; init; }

    /// <summary>Which code of the codebook each place took: [N, places], whole numbers.</summary>
    public Tensor? Codes { get; init; }
}

/// <summary>How a model's latents are drawn.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Prior>))]
public enum Prior
{
    /// <summary>From N(0, I).</summary>
    [JsonStringEnumMemberName("standard-normal")]
    StandardNormal,

    /// <summary>They are not: nothing says which codes are likely.</summary>
    [JsonStringEnumMemberName("none")]
    None,

    /// <summary>Code by code, each given those before it, by prior.onnx.</summary>
    [JsonStringEnumMemberName("autoregressive")]
    Autoregressive,

    /// <summary>From a density that was fitted to training images' codes, by prior.onnx.</summary>
    [JsonStringEnumMemberName("fitted")]
    Fitted,
}
