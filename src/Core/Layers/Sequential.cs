using VaeFunctions.Tensors;

namespace VaeFunctions.Layers;

/// <summary>Layers one after another, named by their index as in PyTorch's nn.Sequential.</summary>
public sealed class Sequential : ILayer
{
    readonly ILayer[] layers;

    public Sequential(Scope scope, params IEnumerable<Layer> layers) => this.layers = [.. layers.Select((layer, index) => layer(scope / index))];

    public Tensor Forward(Tensor x)
    {
        foreach (var layer in layers) x = layer.Forward(x);
        return x;
    }
}
