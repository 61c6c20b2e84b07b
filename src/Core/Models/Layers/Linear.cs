using VaeFunctions.Tensors;

namespace VaeFunctions.Models.Layers;

/// <summary>x · weightᵀ + bias: [N, inputs] → [N, outputs], as PyTorch's nn.Linear.</summary>
public sealed class Linear(Scope scope, int inputs, int outputs) : ILayer
{
    readonly Parameter weight = scope.Weight("weight", new(outputs, inputs), scope.Initialization.Weight(inputs, outputs));
    readonly Parameter bias = scope.Weight("bias", new(outputs), scope.Initialization.Bias(inputs));

    public Tensor Forward(Tensor x) => x.Backend.Linear(x, x.Backend.FromParameter(weight), x.Backend.FromParameter(bias));
}
