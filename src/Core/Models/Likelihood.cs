using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>p(image | latent): how pixels become numbers, what the decoder's output means, and what its error costs.</summary>
public abstract class Likelihood
{
    /// <summary>Pixels 0 to 255, [N, H, W, C], as the images the model works on, [N, C, H, W].</summary>
    public abstract Tensor FromPixels(Tensor pixels);

    /// <summary>The decoder's output, [N, C, H, W], as whole pixels 0 to 255, [N, H, W, C].</summary>
    public abstract Tensor ToPixels(Tensor decoded);

    /// <summary>The reconstruction term: −log p(image | latent) up to a constant, summed over pixels and batch.</summary>
    public abstract Tensor ReconstructionSum(Tensor decoded, Tensor images);

    private protected static Tensor ChannelsFirst(Tensor pixels) => pixels.Transpose(0, 3, 1, 2);

    private protected static Tensor WholePixels(Tensor values) => values.Clip(0, 255).Round().Transpose(0, 2, 3, 1);
}

/// <summary>Pixels in [0, 1] as probabilities; the decoder gives logits; binary cross-entropy.</summary>
public sealed class Bernoulli : Likelihood
{
    public override Tensor FromPixels(Tensor pixels) => ChannelsFirst(pixels) * (1 / 255f);

    public override Tensor ToPixels(Tensor decoded) => WholePixels(decoded.Sigmoid() * 255);

    public override Tensor ReconstructionSum(Tensor decoded, Tensor images) => decoded.Backend.BinaryCrossEntropySum(decoded, images);
}

/// <summary>Pixels in [low, high]; the decoder gives them; squared error, which is a Gaussian of variance ½ up to a constant.</summary>
public sealed class SquaredError(float low, float high) : Likelihood
{
    public override Tensor FromPixels(Tensor pixels) => ChannelsFirst(pixels) * ((high - low) / 255f) + low;

    public override Tensor ToPixels(Tensor decoded) => WholePixels((decoded - low) * (255f / (high - low)));

    public override Tensor ReconstructionSum(Tensor decoded, Tensor images) => decoded.Backend.SquaredErrorSum(decoded, images);
}
