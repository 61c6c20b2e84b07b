using VaeFunctions.Imaging;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>p(image | latent): how pixels become numbers, what the decoder's output means, and what its error costs.</summary>
public abstract class Likelihood
{
    /// <summary>Pixels 0 to 255, [N, H, W, C], as the images the model works on, [N, C, H, W].</summary>
    public abstract Tensor FromPixels(Tensor pixels);

    /// <summary>The image that the decoder's output says is likely: [N, C, H, W], 0 to 255 for what lies in the likelihood's
    /// range, neither rounded nor cut off.</summary>
    public abstract Tensor Shades(Tensor decoded);

    /// <summary>The decoder's output, [N, C, H, W], as whole pixels 0 to 255, [N, H, W, C].</summary>
    public Tensor ToPixels(Tensor decoded) => Shades(decoded).Clip(0, 255).Round().Transpose(0, 2, 3, 1);

    /// <summary>The reconstruction term: −log p(image | latent) up to a constant, summed over an image's pixels: [N].</summary>
    public abstract Tensor Reconstruction(Tensor decoded, Tensor images);

    private protected static Tensor ChannelsFirst(Tensor pixels) => pixels.Transpose(0, 3, 1, 2);
}

/// <summary>Pixels in [0, 1] as probabilities; the decoder gives logits; binary cross-entropy.</summary>
public sealed class Bernoulli : Likelihood
{
    public override Tensor FromPixels(Tensor pixels) => ChannelsFirst(pixels) * (1 / 255f);

    public override Tensor Shades(Tensor decoded) => decoded.Sigmoid() * 255;

    public override Tensor Reconstruction(Tensor decoded, Tensor images) =>
        decoded.Backend.BinaryCrossEntropySum(decoded, images);
}

/// <summary>Pixels in [low, high]; the decoder gives them; squared error, which is a Gaussian of variance ½ up to a
/// constant.</summary>
public class SquaredError(float low, float high) : Likelihood
{
    public override Tensor FromPixels(Tensor pixels) => ChannelsFirst(pixels) * ((high - low) / 255f) + low;

    public override Tensor Shades(Tensor decoded) => (decoded - low) * (255f / (high - low));

    public override Tensor Reconstruction(Tensor decoded, Tensor images) => decoded.Backend.SquaredErrorSum(decoded, images);
}

/// <summary>Pixels in [low, high]; the decoder gives them; absolute error, which is a Laplace distribution of scale 1 up to a
/// constant, and blurs less than squared error.</summary>
public sealed class AbsoluteError(float low, float high) : SquaredError(low, high)
{
    public override Tensor Reconstruction(Tensor decoded, Tensor images)
    {
        var difference = decoded - images;
        return (difference.Relu() + (-difference).Relu()).SumPerImage();
    }
}

/// <summary>Pixels in [low, high] with Gaussian noise of one σ for all: −log p = ½ Σ (error² / σ² + log 2πσ²), in nats, so that
/// reconstruction and KL need no weights between them. (Rybkin, Daniilidis and Levine 2021, "Simple and effective VAE training
/// with calibrated decoders")</summary>
/// <remarks>σ² is learned by gradient descent as log σ², or, optimal, is each batch's mean squared error (§3.1), of which a
/// running mean serves elsewhere.</remarks>
public sealed class GaussianLikelihood(
    Scope scope, ImageShape image, float low, float high, bool optimal) : SquaredError(low, high)
{
    const float Momentum = 0.01f;
    const float Least = -12; // of log σ²: a blank corner of a data set has no error at all

    readonly Parameter logVariance = optimal
        ? scope.Statistic("log_variance", new(1), 0)
        : scope.Weight("log_variance", new(1), Initializers.Constant(0));

    public override Tensor Reconstruction(Tensor decoded, Tensor images)
    {
        var backend = decoded.Backend;
        var error = base.Reconstruction(decoded, images);
        var known = backend.FromParameter(logVariance);
        var log = optimal && backend.IsTraining
            ? (error.Mean() / image.Size).Log().Clip(Least, 20).Reshape(1)
            : known.Clip(Least, 20);
        if (optimal && backend.IsTraining) backend.Update(logVariance, known * (1 - Momentum) + log * Momentum);
        return (error / log.Exp() + (log + MathF.Log(2 * MathF.PI)) * image.Size) * 0.5f;
    }
}
