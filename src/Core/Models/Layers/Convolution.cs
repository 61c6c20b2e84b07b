using VaeFunctions.Tensors;

namespace VaeFunctions.Models.Layers;

/// <summary>[N, inputs, H, W] → [N, outputs, H', W'], as PyTorch's nn.Conv2d.</summary>
public sealed class Convolution(Scope scope, int inputs, int outputs, Window window) : IActivatedLayer
{
    readonly Parameter weight = scope.Weight("weight", new(outputs, inputs, window.Kernel, window.Kernel),
        scope.Initialization.Weight(inputs * window.Kernel * window.Kernel, outputs * window.Kernel * window.Kernel));

    readonly Parameter bias =
        scope.Weight("bias", new(outputs), scope.Initialization.Bias(inputs * window.Kernel * window.Kernel));

    public Tensor Forward(Tensor x, bool relu) =>
        x.Backend.Conv(x, x.Backend.FromParameter(weight), x.Backend.FromParameter(bias), window, relu);
}
