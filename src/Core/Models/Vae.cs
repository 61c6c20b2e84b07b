using VaeFunctions.Imaging;
using VaeFunctions.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>A variational autoencoder: q(z | x) and p(x | z), with the prior N(0, I). (Kingma and Welling 2014)</summary>
/// <remarks>Noise is an input, never drawn inside: a model is a pure function on any back end. N = batch, L = latent size.</remarks>
public abstract class Vae(ParameterSet parameters, ImageShape image, int latentSize, Likelihood likelihood)
{
    public ParameterSet Parameters { get; } = parameters;

    public ImageShape Image { get; } = image;

    public int LatentSize { get; } = latentSize;

    public Likelihood Likelihood { get; } = likelihood;

    /// <summary>q(z | x)</summary>
    /// <param name="images">[N, C, H, W], in the likelihood's range.</param>
    public abstract Gaussian Encode(Tensor images);

    /// <summary>The parameters of p(x | z), which the likelihood interprets: [N, C, H, W].</summary>
    /// <param name="latent">[N, L]</param>
    public abstract Tensor Decode(Tensor latent);

    /// <summary>The negative evidence lower bound's two terms, summed over the batch.</summary>
    /// <param name="pixels">[N, H, W, C], 0 to 255.</param>
    /// <param name="noise">[N, L], standard normal.</param>
    public NegativeElbo Loss(Tensor pixels, Tensor noise)
    {
        var images = Likelihood.FromPixels(pixels);
        var posterior = Encode(images);
        var decoded = Decode(posterior.Sample(noise));
        return new(Likelihood.ReconstructionSum(decoded, images), posterior.KlToStandardNormal());
    }

    /// <summary>What encoder.onnx computes.</summary>
    /// <param name="pixels">[N, H, W, C], 0 to 255.</param>
    public Gaussian EncodePixels(Tensor pixels) => Encode(Likelihood.FromPixels(pixels));

    /// <summary>What decoder.onnx computes: [N, L] → whole pixels 0 to 255, [N, H, W, C].</summary>
    public Tensor DecodePixels(Tensor latent) => Likelihood.ToPixels(Decode(latent));
}

/// <summary>−ELBO = reconstruction + KL, scalars, each summed over the batch.</summary>
public sealed record NegativeElbo(Tensor Reconstruction, Tensor Kl);
