using VaeFunctions.Tensors;

namespace VaeFunctions.Features;

/// <summary>How unlike two images look: the distance of a pretrained network's features. (Zhang et al. 2018, "The unreasonable
/// effectiveness of deep features as a perceptual metric", equation 1, without its learned weights)</summary>
public sealed class PerceptualDistance(ResNet18 network)
{
    /// <summary>Keeps the length of features that are all 0 from being divided by, and its gradient finite.</summary>
    const float Least = 1e-10f;

    /// <summary>d(x, y) = Σ over stages of the mean over places of |x̂ − ŷ|², with each place's features of length 1.</summary>
    /// <param name="shades">[N, C, H, W], 0 to 255, of one or three channels.</param>
    /// <param name="target">[N, C, H, W]; no gradient is sought in it.</param>
    /// <returns>[N], from 0 to at most 8.</returns>
    public Tensor Of(Tensor shades, Tensor target)
    {
        ShapeRules.Same(shades.Shape, target.Shape, "PerceptualDistance", "shades", "target");
        return Of(network.Features(shades), network.Features(target.StopGradient()));
    }

    /// <summary>The same, of features that are at hand.</summary>
    public static Tensor Of(Tensor[] features, Tensor[] target)
    {
        return features.Zip(target, Of).Aggregate((sum, stage) => sum + stage);

        static Tensor Of(Tensor x, Tensor y) =>
            x.Backend.SquaredErrorSum(Directions(x), Directions(y)) / (x.Shape[2] * x.Shape[3]);
    }

    /// <summary>x / |x| at each place, the length taken over channels.</summary>
    internal static Tensor Directions(Tensor x) => x / (x.Backend.ReduceSum(x * x, keepAxes: true, 1) + Least).Sqrt();
}
