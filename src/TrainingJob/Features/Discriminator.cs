using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;
using static VaeFunctions.Models.Layers.Build;

namespace VaeFunctions.Features;

/// <summary>Tells images from what a decoder makes, by the features that a pretrained network sees in them: a small head on each
/// of stages 1 to 3 judges every place. (Sauer et al. 2021, "Projected GANs converge faster", without its mixing of stages; hinge
/// loss as in Lim and Ye 2017)</summary>
/// <remarks>Only the heads learn. N = images.</remarks>
public sealed class Discriminator
{
    /// <summary>The channels of stages 1 to 3.</summary>
    static readonly int[] Stages = [64, 128, 256];

    const int Width = 64;

    readonly Sequential[] heads;

    public Discriminator(ITrainingBackend backend, ulong seed)
    {
        Parameters = new(backend, seed);
        Window point = new(1), same = new(3, 1, 1);
        heads =
        [
            .. Stages.Select((channels, stage) => new Sequential(Parameters.Root / "head" / stage,
                SpectralConv(channels, Width, point), LeakyRelu(0.2f), SpectralConv(Width, 1, same))),
        ];
    }

    public ParameterSet Parameters { get; }

    /// <summary>What it minimises: max(0, 1 − D(images)) + max(0, 1 + D(made)), the mean over places and images, summed over
    /// heads.</summary>
    /// <param name="images">Features as <see cref="ResNet18.Features"/> gives them. Gradients flow back into neither set.</param>
    /// <param name="made">The same of what the decoder made, of any number of images.</param>
    /// <returns>A scalar.</returns>
    public Tensor Loss(Tensor[] images, Tensor[] made) =>
        Sum(Judge(Stopped(images)).Select(verdict => (-verdict + 1).Relu().Mean()))
        + Sum(Judge(Stopped(made)).Select(verdict => (verdict + 1).Relu().Mean()));

    /// <summary>What the decoder minimises: −D(made), the mean over places, summed over heads, of each image: [N]. The heads have
    /// no part in it.</summary>
    public Tensor Deceit(Tensor[] made)
    {
        using var frozen = made[0].Backend.FreezeParameters();
        return Sum(Judge(made).Select(verdict => -verdict.Flatten().Sum(1) / (verdict.Shape[2] * verdict.Shape[3])));
    }

    /// <summary>A verdict for every place, positive for what looks real: [N, 1, H', W'] for each stage.</summary>
    /// <remarks>Features are scaled to numbers near 1, whatever their stage.</remarks>
    Tensor[] Judge(Tensor[] features) =>
    [
        .. heads.Zip(features.Skip(1), (head, stage) =>
            head.Forward(PerceptualDistance.Directions(stage) * MathF.Sqrt(stage.Shape[1]))),
    ];

    static Tensor[] Stopped(Tensor[] features) => [.. features.Select(stage => stage.StopGradient())];

    static Tensor Sum(IEnumerable<Tensor> terms) => terms.Aggregate((sum, term) => sum + term);
}
