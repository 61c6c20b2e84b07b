namespace VaeFunctions.Tensors;

/// <summary>One interpreter of the operations a model is made of, named as in ONNX where ONNX has them.</summary>
/// <remarks>
/// Primitives have no body: a back end that lacks one does not compile. Composites have a default body made of primitives,
/// which a back end overrides only where that is measurably faster. What shapes fit together is in <see cref="ShapeRules"/>;
/// whatever does not is a <see cref="ShapeException"/>. A negative axis counts from the innermost, <see cref="Transpose"/>
/// excepted. NaN propagates through every operation, <see cref="Relu"/>, <see cref="Clip"/> and <see cref="Round"/> included, so
/// that a broken step shows in its loss. Shape legend of this file: N = batch, C = channels, H, W = height and width, O = output
/// channels, K = kernel height and width.
/// </remarks>
public interface IBackend
{
    // --- values -------------------------------------------------------------------------------------------------------

    /// <summary>Whether this back end records a training step: batch normalisation then uses the batch's own
    /// statistics.</summary>
    bool IsTraining => false;

    /// <summary>Overwrites a statistic once the step is known to be sound, outside the gradient. Only a back end that records
    /// training does.</summary>
    /// <exception cref="NotSupportedException">This back end does not train.</exception>
    void Update(Parameter statistic, Tensor value) =>
        throw new NotSupportedException($"{GetType().Name} does not train, so it cannot update {statistic.Name}.");

    /// <summary>Opens a scope: every tensor computed until it is disposed is released with it, parameters excepted.</summary>
    IDisposable BeginScope();

    /// <summary>A tensor with these values, row-major.</summary>
    Tensor FromValues(ReadOnlySpan<float> values, Shape shape);

    /// <summary>The tensor by which this back end knows a parameter.</summary>
    Tensor FromParameter(Parameter parameter);

    /// <summary>Copies a tensor's values out, row-major, rounded to single precision.</summary>
    /// <exception cref="NotSupportedException">The back end only writes graphs down.</exception>
    void CopyTo(Tensor tensor, Span<float> destination);

    // --- element by element, broadcasting as NumPy does ---------------------------------------------------------------

    Tensor Add(Tensor left, Tensor right);

    Tensor Subtract(Tensor left, Tensor right);

    Tensor Multiply(Tensor left, Tensor right);

    Tensor Divide(Tensor left, Tensor right);

    Tensor Negate(Tensor x);

    Tensor Exp(Tensor x);

    Tensor Log(Tensor x);

    Tensor Sqrt(Tensor x);

    Tensor Tanh(Tensor x);

    /// <summary>1 / (1 + e⁻ˣ)</summary>
    Tensor Sigmoid(Tensor x);

    /// <summary>log(1 + eˣ), finite for every finite x.</summary>
    Tensor Softplus(Tensor x);

    /// <summary>max(x, 0), NaN where x is NaN.</summary>
    Tensor Relu(Tensor x);

    /// <summary>x where x ≥ 0, slope · x elsewhere.</summary>
    Tensor LeakyRelu(Tensor x, float slope);

    /// <summary>x limited to [low, high], NaN where x is NaN. The gradient is 1 inside and at the limits, 0 outside.</summary>
    Tensor Clip(Tensor x, float low, float high);

    /// <summary>The nearest integer, halves to the even one. The gradient is 0 everywhere.</summary>
    Tensor Round(Tensor x);

    // --- shape --------------------------------------------------------------------------------------------------------

    /// <summary>The same values under another shape, in ONNX's notation: 0 keeps an axis, one -1 takes what is left.</summary>
    Tensor Reshape(Tensor x, params ReadOnlySpan<int> shape);

    /// <summary>Reorders axes: axis i of the result is axis <paramref name="order"/>[i] of x.</summary>
    Tensor Transpose(Tensor x, params ReadOnlySpan<int> order);

    /// <summary>The parts one after another along an axis; all other axes must be equal.</summary>
    Tensor Concat(int axis, params ReadOnlySpan<Tensor> parts);

    /// <summary>Elements [start, start + length) along one axis.</summary>
    Tensor Slice(Tensor x, int axis, int start, int length);

    // --- reductions and products --------------------------------------------------------------------------------------

    /// <summary>The sum over the named axes, or over all where none is named. Reduced axes stay, with extent 1, if
    /// asked.</summary>
    Tensor ReduceSum(Tensor x, bool keepAxes, params ReadOnlySpan<int> axes);

    /// <summary>The index of the largest element along the innermost axis, the first of equal ones: […, K] → […]. The gradient is
    /// 0 everywhere.</summary>
    Tensor ArgMax(Tensor x);

    /// <summary>The matrix product of two matrices, each transposed first if asked: [M, K] · [K, N] → [M, N].</summary>
    Tensor MatMul(Tensor left, Tensor right, bool transposeLeft = false, bool transposeRight = false);

    /// <summary>Cross-correlation, as every deep-learning library's "convolution". <see cref="Window.OutputPadding"/> has no
    /// say.</summary>
    /// <param name="x">[N, C, H, W]</param>
    /// <param name="weight">[O, C, K, K]</param>
    /// <returns>[N, O, (H + 2·padding − K) / stride + 1, …]</returns>
    Tensor Conv(Tensor x, Tensor weight, Window window);

    /// <summary>The transpose of <see cref="Conv(Tensor, Tensor, Window)"/> in x, as PyTorch's ConvTranspose2d.</summary>
    /// <param name="x">[N, C, H, W]</param>
    /// <param name="weight">[C, O, K, K]</param>
    /// <returns>[N, O, (H − 1)·stride − 2·padding + K + outputPadding, …]</returns>
    Tensor ConvTranspose(Tensor x, Tensor weight, Window window);

    /// <summary>The largest element under each place of the kernel. What pads is never the largest;
    /// <see cref="Window.OutputPadding"/> has no say. The gradient goes to the first of equal ones, row by row.</summary>
    /// <param name="x">[N, C, H, W]</param>
    /// <param name="window">With a padding of at most half the kernel, so that every window has an element.</param>
    /// <returns>[N, C, (H + 2·padding − K) / stride + 1, …]</returns>
    Tensor MaxPool(Tensor x, Window window);

    // --- composites ---------------------------------------------------------------------------------------------------

    Tensor Scalar(float value) => FromValues([value], Shape.Scalar);

    /// <summary>x · σ(x). (Hendrycks and Gimpel 2016; Ramachandran, Zoph and Le 2017, "swish")</summary>
    Tensor Silu(Tensor x) => Multiply(x, Sigmoid(x));

    /// <summary>x · weightᵀ + bias</summary>
    /// <param name="x">[N, inputs]</param>
    /// <param name="weight">[outputs, inputs]</param>
    /// <param name="bias">[outputs]</param>
    Tensor Linear(Tensor x, Tensor weight, Tensor bias)
    {
        ShapeRules.Linear(x.Shape, weight.Shape, bias.Shape);
        return Add(MatMul(x, weight, transposeRight: true), bias);
    }

    /// <summary>Adds one number per channel: x[n, c, h, w] + bias[c].</summary>
    Tensor AddPerChannel(Tensor x, Tensor bias)
    {
        ShapeRules.PerChannel(x.Shape, bias.Shape, "AddPerChannel", "bias");
        return Add(x, Reshape(bias, -1, 1, 1));
    }

    /// <summary>A convolution with its bias, and its ReLU if asked: <see cref="Conv(Tensor, Tensor, Window)"/>, then
    /// <see cref="AddPerChannel"/>, then <see cref="Relu"/>.</summary>
    /// <param name="bias">[O]</param>
    Tensor Conv(Tensor x, Tensor weight, Tensor bias, Window window, bool relu)
    {
        var y = AddPerChannel(Conv(x, weight, window), bias);
        return relu ? Relu(y) : y;
    }

    /// <summary>The same of <see cref="ConvTranspose(Tensor, Tensor, Window)"/>.</summary>
    /// <param name="bias">[O]</param>
    Tensor ConvTranspose(Tensor x, Tensor weight, Tensor bias, Window window, bool relu)
    {
        var y = AddPerChannel(ConvTranspose(x, weight, window), bias);
        return relu ? Relu(y) : y;
    }

    /// <summary>(x − mean) / √(variance + ε) · weight + bias, per channel of [N, C, H, W]. (Ioffe and Szegedy 2015)</summary>
    /// <param name="mean">[C]; so are variance, weight and bias.</param>
    Tensor BatchNormalization(Tensor x, Tensor mean, Tensor variance, Tensor weight, Tensor bias, float epsilon)
    {
        ShapeRules.BatchNormalization(x.Shape, weight.Shape, bias.Shape, mean.Shape, variance.Shape);
        var scale = Divide(weight, Sqrt(Add(variance, Scalar(epsilon))));
        var shift = Subtract(bias, Multiply(mean, scale));
        return Add(Multiply(x, Reshape(scale, -1, 1, 1)), Reshape(shift, -1, 1, 1));
    }

    /// <summary>Batch normalisation by the batch's own mean and (biased) variance, which come back for the running
    /// statistics.</summary>
    /// <returns>[N, C, H, W], and the mean and variance, [C] each.</returns>
    (Tensor Output, Tensor Mean, Tensor Variance) BatchNormalizationTraining(Tensor x, Tensor weight, Tensor bias, float epsilon)
    {
        ShapeRules.BatchNormalization(x.Shape, weight.Shape, bias.Shape);
        var perChannel = Scalar(ShapeRules.ElementsPerChannel(x.Shape));
        var mean = Divide(ReduceSum(x, keepAxes: true, 0, 2, 3), perChannel);
        var centred = Subtract(x, mean);
        var variance = Divide(ReduceSum(Multiply(centred, centred), keepAxes: true, 0, 2, 3), perChannel);
        var normalised = Divide(centred, Sqrt(Add(variance, Scalar(epsilon))));
        var output = Add(Multiply(normalised, Reshape(weight, -1, 1, 1)), Reshape(bias, -1, 1, 1));
        return (output, Reshape(mean, -1), Reshape(variance, -1));
    }

    /// <summary>(x − mean) / √(variance + ε) · weight + bias, with the (biased) mean and variance of each image's groups of
    /// channels, so that it does not depend on the batch. (Wu and He 2018)</summary>
    /// <param name="x">[N, C, H, W]</param>
    /// <param name="weight">[C]; so is the bias.</param>
    /// <param name="groups">How many groups of C / groups channels, neighbours each.</param>
    Tensor GroupNormalization(Tensor x, Tensor weight, Tensor bias, int groups, float epsilon)
    {
        var perGroup = Scalar(ShapeRules.GroupNormalization(x.Shape, weight.Shape, bias.Shape, groups));
        var grouped = Reshape(x, 0, groups, -1);
        var centred = Subtract(grouped, Divide(ReduceSum(grouped, keepAxes: true, -1), perGroup));
        var variance = Divide(ReduceSum(Multiply(centred, centred), keepAxes: true, -1), perGroup);
        var normalised = Reshape(Divide(centred, Sqrt(Add(variance, Scalar(epsilon)))), 0, x.Shape[1], x.Shape[2], x.Shape[3]);
        return Add(Multiply(normalised, Reshape(weight, -1, 1, 1)), Reshape(bias, -1, 1, 1));
    }

    /// <summary>Σ (x − target)² per image: over every axis but the first. Both have the same shape.</summary>
    /// <returns>[N]</returns>
    Tensor SquaredErrorSum(Tensor x, Tensor target)
    {
        ShapeRules.Same(x.Shape, target.Shape, "SquaredErrorSum", "x", "target");
        var difference = Subtract(x, target);
        return SumPerImage(Multiply(difference, difference));
    }

    /// <summary>−Σ [target · log σ(logits) + (1 − target) · log(1 − σ(logits))] = Σ [softplus(logits) − target · logits] per
    /// image: over every axis but the first.</summary>
    /// <param name="target">In [0, 1], of the shape of the logits.</param>
    /// <returns>[N]</returns>
    Tensor BinaryCrossEntropySum(Tensor logits, Tensor target)
    {
        ShapeRules.Same(logits.Shape, target.Shape, "BinaryCrossEntropySum", "logits", "target");
        return SumPerImage(Subtract(Softplus(logits), Multiply(target, logits)));
    }

    /// <summary>The sum over every axis but the first: [N, …] → [N].</summary>
    Tensor SumPerImage(Tensor x) =>
        x.Shape.Rank == 1 ? x : ReduceSum(x, keepAxes: false, [.. Enumerable.Range(1, x.Shape.Rank - 1)]);

    /// <summary>1 at each index and 0 elsewhere: […] → […, count]. An index that is not below count gives zeros.</summary>
    Tensor OneHot(Tensor indices, int count)
    {
        var distance = Subtract(Reshape(indices, [.. new int[indices.Shape.Rank], 1]),
            FromValues([.. Enumerable.Range(0, count).Select(index => (float)index)], new(count)));
        return Subtract(Scalar(1), Clip(Multiply(distance, distance), 0, 1)); // indices are whole numbers
    }

    /// <summary>log Σ eˣ over the innermost axis, finite for every finite x: […, K] → […, 1].</summary>
    Tensor LogSumExp(Tensor x)
    {
        var largest = StopGradient(ReduceSum(Multiply(x, OneHot(ArgMax(x), x.Shape[-1])), keepAxes: true, -1));
        return Add(Log(ReduceSum(Exp(Subtract(x, largest)), keepAxes: true, -1)), largest);
    }

    /// <summary>Each row a number of times in succession: [N, …] → [N · times, …].</summary>
    Tensor Repeat(Tensor x, int times)
    {
        if (times == 1) return x;
        var axes = x.Shape.Axes.ToArray();
        var repeated =
            Add(Reshape(x, [axes[0], 1, .. axes[1..]]), FromValues(new float[times], new([times, .. axes[1..].Select(_ => 1)])));
        return Reshape(repeated, [axes[0] * times, .. axes[1..]]);
    }

    /// <summary>The same values, through which no gradient flows back.</summary>
    Tensor StopGradient(Tensor x) => x;

    /// <summary>Until it is disposed, parameters are constants: what is computed meanwhile has gradients in its other inputs
    /// only.</summary>
    IDisposable FreezeParameters() => NoScope.Instance;
}
