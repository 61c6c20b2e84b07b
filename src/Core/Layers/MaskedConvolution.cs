using VaeFunctions.Tensors;

namespace VaeFunctions.Layers;

/// <summary>A convolution that sees only what comes before a place, row by row, and, unless it is the first of a stack, the place itself:
/// [N, inputs, H, W] → [N, outputs, H, W]. (van den Oord, Kalchbrenner and Kavukcuoglu 2016, §3.4, masks A and B)</summary>
public sealed class MaskedConvolution(Scope scope, int inputs, int outputs, int kernel, bool seesItself) : ILayer
{
    readonly Parameter weight = scope.Weight("weight", new(outputs, inputs, kernel, kernel), scope.Initialization.Weight(inputs * kernel * kernel / 2 + 1, outputs * kernel * kernel / 2 + 1));
    readonly Parameter bias = scope.Weight("bias", new(outputs), scope.Initialization.Bias(inputs * kernel * kernel / 2 + 1));

    public Tensor Forward(Tensor x)
    {
        var backend = x.Backend;
        var past = kernel * kernel / 2 + (seesItself ? 1 : 0);
        var mask = backend.FromValues([.. Enumerable.Range(0, kernel * kernel).Select(i => i < past ? 1f : 0f)], new(kernel, kernel));
        return backend.AddPerChannel(backend.Conv(x, backend.FromParameter(weight) * mask, new(kernel, 1, kernel / 2)), backend.FromParameter(bias));
    }
}
