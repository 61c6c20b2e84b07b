using VaeFunctions.Tensors;

namespace VaeFunctions.Models.Layers;

/// <summary>Each pixel becomes four equal ones, then a 3×3 convolution: [N, inputs, H, W] → [N, outputs, 2H, 2W], as PyTorch's
/// nn.Upsample(scale_factor=2) and nn.Conv2d. Unlike a transposed convolution it draws no checkerboard. (Odena, Dumoulin and Olah
/// 2016)</summary>
/// <remarks>Over equal pixels the kernel's taps add up, so this is a transposed convolution of stride 2 whose 4×4 kernel follows
/// from the 3×3: along one axis its tap t is the sum of the taps a with a + t = 2 or 3. It costs 16 products where the
/// convolution of the enlarged image costs 36, and that image is never made.</remarks>
public sealed class UpsampledConvolution(Scope scope, int inputs, int outputs) : IActivatedLayer
{
    static readonly Window doubling = new(Kernel: 4, Stride: 2, Padding: 1);

    /// <summary>[9, 16]: 1 where a tap of the 3×3 kernel is part of one of the 4×4.</summary>
    static readonly float[] spread =
    [
        .. from a in Enumerable.Range(0, 3)
           from b in Enumerable.Range(0, 3)
           from s in Enumerable.Range(0, 4)
           from t in Enumerable.Range(0, 4)
           select a + s is 2 or 3 && b + t is 2 or 3 ? 1f : 0f,
    ];

    readonly Parameter weight =
        scope.Weight("weight", new(outputs, inputs, 3, 3), scope.Initialization.Weight(inputs * 9, outputs * 9));

    readonly Parameter bias = scope.Weight("bias", new(outputs), scope.Initialization.Bias(inputs * 9));

    public Tensor Forward(Tensor x, bool relu)
    {
        var backend = x.Backend;
        var taps = backend.FromParameter(weight).Transpose(1, 0, 2, 3).Reshape(-1, 9);
        var kernel = taps.MatMul(backend.FromValues(spread, new(9, 16))).Reshape(inputs, outputs, 4, 4);
        return backend.ConvTranspose(x, kernel, backend.FromParameter(bias), doubling, relu);
    }
}
