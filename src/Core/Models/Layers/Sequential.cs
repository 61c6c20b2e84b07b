using VaeFunctions.Tensors;

namespace VaeFunctions.Models.Layers;

/// <summary>Layers one after another, named by their index as in PyTorch's nn.Sequential.</summary>
public sealed class Sequential : ILayer
{
    readonly ILayer[] layers;

    public Sequential(Scope scope, params IEnumerable<Layer> layers) =>
        this.layers = [.. layers.Select((layer, index) => layer(scope / index))];

    public Tensor Forward(Tensor x)
    {
        for (var i = 0; i < layers.Length; i++)
        {
            if (layers[i] is IActivatedLayer layer && i + 1 < layers.Length && layers[i + 1] is ReluLayer)
            {
                x = layer.Forward(x, relu: true);
                i++;
                continue;
            }
            x = layers[i].Forward(x);
        }
        return x;
    }
}

/// <summary>max(x, 0), on its own or within the layer before it.</summary>
sealed class ReluLayer : ILayer
{
    public Tensor Forward(Tensor x) => x.Relu();
}
