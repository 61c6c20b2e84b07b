using VaeFunctions.Tensors;

namespace VaeFunctions.Models.Layers;

/// <summary>Normalisation of each image's groups of channels, the same in training and elsewhere, as PyTorch's nn.GroupNorm. (Wu
/// and He 2018)</summary>
public sealed class GroupNormalization(Scope scope, int channels, int groups) : ILayer
{
    const float Epsilon = 1e-5f;

    readonly Parameter weight = scope.Weight("weight", new(channels), Initializers.Constant(1));
    readonly Parameter bias = scope.Weight("bias", new(channels), Initializers.Constant(0));

    public Tensor Forward(Tensor x) => x.Backend.GroupNormalization(
        x, x.Backend.FromParameter(weight), x.Backend.FromParameter(bias), groups, Epsilon);
}
