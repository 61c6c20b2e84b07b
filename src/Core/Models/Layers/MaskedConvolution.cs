using VaeFunctions.Tensors;

namespace VaeFunctions.Models.Layers;

/// <summary>A convolution that sees only what comes before a place, row by row, and, unless it is the first of a stack, the place
/// itself: [N, inputs, H, W] → [N, outputs, H, W]. (van den Oord, Kalchbrenner and Kavukcuoglu 2016, §3.4, masks A and
/// B)</summary>
public sealed class MaskedConvolution(Scope scope, int inputs, int outputs, int kernel, bool seesItself) : ILayer
{
    /// <summary>How many of the kernel's taps it sees.</summary>
    readonly int past = Past(kernel, seesItself);

    readonly Parameter weight = scope.Weight("weight", new(outputs, inputs, kernel, kernel),
        scope.Initialization.Weight(inputs * Past(kernel, seesItself), outputs * Past(kernel, seesItself)));

    readonly Parameter bias = scope.Weight("bias", new(outputs), scope.Initialization.Bias(inputs * Past(kernel, seesItself)));

    public Tensor Forward(Tensor x)
    {
        var backend = x.Backend;
        var mask =
            backend.FromValues([.. Enumerable.Range(0, kernel * kernel).Select(i => i < past ? 1f : 0f)], new(kernel, kernel));
        return backend.AddPerChannel(
            backend.Conv(x, backend.FromParameter(weight) * mask, new(kernel, 1, kernel / 2)), backend.FromParameter(bias));
    }

    static int Past(int kernel, bool seesItself) => kernel * kernel / 2 + (seesItself ? 1 : 0);
}
