using VaeFunctions.Tensors;

namespace VaeFunctions.Models.Layers;

/// <summary>[N, inputs, H, W] → [N, outputs, H', W'], as PyTorch's nn.ConvTranspose2d, whose fan-in counts the outputs.</summary>
public sealed class TransposedConvolution(Scope scope, int inputs, int outputs, Window window) : IActivatedLayer
{
    readonly Parameter weight = scope.Weight("weight", new(inputs, outputs, window.Kernel, window.Kernel),
        scope.Initialization.Weight(outputs * window.Kernel * window.Kernel, inputs * window.Kernel * window.Kernel));

    readonly Parameter bias =
        scope.Weight("bias", new(outputs), scope.Initialization.Bias(outputs * window.Kernel * window.Kernel));

    public Tensor Forward(Tensor x, bool relu) =>
        x.Backend.ConvTranspose(x, x.Backend.FromParameter(weight), x.Backend.FromParameter(bias), window, relu);
}
