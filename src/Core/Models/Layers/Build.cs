using VaeFunctions.Tensors;

namespace VaeFunctions.Models.Layers;

/// <summary>The layers as a model lists them: <c>new Sequential(scope, Conv(3, 32, half), Relu, BatchNorm(32),
/// Flatten)</c>.</summary>
public static class Build
{
    public static Layer Relu { get; } = _ => new ReluLayer();

    public static Layer Tanh { get; } = Function(x => x.Tanh());

    public static Layer Sigmoid { get; } = Function(x => x.Sigmoid());

    public static Layer Silu { get; } = Function(x => x.Silu());

    public static Layer Softplus { get; } = Function(x => x.Softplus());

    /// <summary>[N, …] → [N, everything else]</summary>
    public static Layer Flatten { get; } = Function(x => x.Flatten());

    public static Layer LeakyRelu(float slope) => Function(x => x.LeakyRelu(slope));

    /// <summary>[N, …] → [N, channels, height, width]</summary>
    public static Layer Unflatten(int channels, int height, int width) => Function(x => x.Reshape(0, channels, height, width));

    public static Layer Linear(int inputs, int outputs) => scope => new Linear(scope, inputs, outputs);

    /// <summary>Batch normalisation of vectors: [N, units], each unit a channel.</summary>
    public static Layer BatchNormOfUnits(int units) => scope => new UnitNormalization(new BatchNormalization(scope, units));

    public static Layer Conv(int inputs, int outputs, Window window) => scope => new Convolution(scope, inputs, outputs, window);

    /// <summary>A convolution whose weights are divided by their largest singular value.</summary>
    public static Layer SpectralConv(int inputs, int outputs, Window window) =>
        scope => new SpectralConvolution(scope, inputs, outputs, window);

    public static Layer ConvTranspose(int inputs, int outputs, Window window) =>
        scope => new TransposedConvolution(scope, inputs, outputs, window);

    /// <summary>Nearest-neighbour upsampling by 2, then a convolution of 3×3.</summary>
    public static Layer UpConv(int inputs, int outputs) => scope => new UpsampledConvolution(scope, inputs, outputs);

    public static Layer MaxPool(Window window) => Function(x => x.MaxPool(window));

    public static Layer MaskedConv(int inputs, int outputs, int kernel, bool seesItself) =>
        scope => new MaskedConvolution(scope, inputs, outputs, kernel, seesItself);

    /// <summary>x + the layers' result. (He et al. 2016)</summary>
    public static Layer Residual(params Layer[] layers) => scope => new ResidualLayer(null, new Sequential(scope, layers));

    /// <summary>shortcut(x) + the layers' result, where these change x's shape. (He et al. 2016, equation 2)</summary>
    public static Layer ResidualBeside(Layer shortcut, params Layer[] layers) => scope =>
        new ResidualLayer(shortcut(scope / "shortcut"), new Sequential(scope, layers));

    public static Layer GroupNorm(int channels, int groups) => scope => new GroupNormalization(scope, channels, groups);

    public static Layer BatchNorm(int channels) => scope => new BatchNormalization(scope, channels);

    /// <summary>The layers from each size to the next, one stage after another: <c>Stages([3, 32, 64], (from, to) => [Conv(from,
    /// to, half), Relu])</c>.</summary>
    public static IEnumerable<Layer> Stages(IReadOnlyList<int> sizes, Func<int, int, Layer[]> stage) =>
        Enumerable.Range(1, sizes.Count - 1).SelectMany(i => stage(sizes[i - 1], sizes[i]));

    static Layer Function(Func<Tensor, Tensor> function) => _ => new FunctionLayer(function);

    sealed class UnitNormalization(BatchNormalization inner) : ILayer
    {
        public Tensor Forward(Tensor x) => inner.Forward(x.Reshape(0, -1, 1, 1)).Flatten();
    }

    sealed class ResidualLayer(ILayer? shortcut, Sequential inner) : ILayer
    {
        public Tensor Forward(Tensor x) => (shortcut?.Forward(x) ?? x) + inner.Forward(x);
    }

    sealed class FunctionLayer(Func<Tensor, Tensor> function) : ILayer
    {
        public Tensor Forward(Tensor x) => function(x);
    }
}
