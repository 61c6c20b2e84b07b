using VaeFunctions.Tensors;

namespace VaeFunctions.Autograd;

public sealed partial class GradientTape
{
    // --- values -------------------------------------------------------------------------------------------------------

    public IDisposable BeginScope() => inner.BeginScope();

    public Tensor FromValues(ReadOnlySpan<float> values, Shape shape) => Record(inner.FromValues(values, shape), false);

    public Tensor FromParameter(Parameter parameter)
    {
        if (!parameters.TryGetValue(parameter, out var tensor))
            parameters[parameter] = tensor = Record(inner.FromParameter(parameter), parameter.Kind == ParameterKind.Weight);
        return frozen > 0 ? StopGradient(tensor) : tensor;
    }

    public void Update(Parameter statistic, Tensor value) => updates.Add((statistic, V(value)));

    // dx = 0
    public Tensor StopGradient(Tensor x) => Record(V(x), false);

    public IDisposable FreezeParameters()
    {
        frozen++;
        return new Thaw(this);
    }

    public void CopyTo(Tensor tensor, Span<float> destination) => inner.CopyTo(V(tensor), destination);

    // --- element by element -------------------------------------------------------------------------------------------

    // da = ⟨dy⟩, db = ⟨dy⟩
    public Tensor Add(Tensor a, Tensor b) =>
        Record(inner.Add(V(a), V(b)), a, dy => Unbroadcast(dy, a.Shape), b, dy => Unbroadcast(dy, b.Shape));

    // da = ⟨dy⟩, db = −⟨dy⟩
    public Tensor Subtract(Tensor a, Tensor b) =>
        Record(inner.Subtract(V(a), V(b)), a, dy => Unbroadcast(dy, a.Shape), b, dy => -Unbroadcast(dy, b.Shape));

    // da = ⟨dy · b⟩, db = ⟨dy · a⟩
    public Tensor Multiply(Tensor a, Tensor b) =>
        Record(inner.Multiply(V(a), V(b)), a, dy => Unbroadcast(dy * V(b), a.Shape), b, dy => Unbroadcast(dy * V(a), b.Shape));

    // da = ⟨dy / b⟩, db = −⟨dy · y / b⟩
    public Tensor Divide(Tensor a, Tensor b)
    {
        var y = inner.Divide(V(a), V(b));
        return Record(y, a, dy => Unbroadcast(dy / V(b), a.Shape), b, dy => -Unbroadcast(dy * y / V(b), b.Shape));
    }

    // dx = −dy
    public Tensor Negate(Tensor x) => Record(inner.Negate(V(x)), x, dy => -dy);

    // dx = dy · y
    public Tensor Exp(Tensor x)
    {
        var y = inner.Exp(V(x));
        return Record(y, x, dy => dy * y);
    }

    // dx = dy / x
    public Tensor Log(Tensor x) => Record(inner.Log(V(x)), x, dy => dy / V(x));

    // dx = dy / 2y
    public Tensor Sqrt(Tensor x)
    {
        var y = inner.Sqrt(V(x));
        return Record(y, x, dy => dy / (y * 2));
    }

    // dx = dy · (1 − y²)
    public Tensor Tanh(Tensor x)
    {
        var y = inner.Tanh(V(x));
        return Record(y, x, dy => dy - dy * y * y);
    }

    // dx = dy · y · (1 − y)
    public Tensor Sigmoid(Tensor x)
    {
        var y = inner.Sigmoid(V(x));
        return Record(y, x, dy => dy * (y - y * y));
    }

    // dx = dy · σ(x)
    public Tensor Softplus(Tensor x) => Record(inner.Softplus(V(x)), x, dy => dy * inner.Sigmoid(V(x)));

    // dx = dy · σ(x) · (1 + x · (1 − σ(x)))
    public Tensor Silu(Tensor x) => Record(inner.Silu(V(x)), x, dy => inner.SiluGradient(V(x), dy));

    // dx = dy where x > 0
    public Tensor Relu(Tensor x) => Record(inner.Relu(V(x)), x, dy => inner.ReluGradient(V(x), dy, 0));

    // dx = dy where x > 0, slope · dy elsewhere
    public Tensor LeakyRelu(Tensor x, float slope) =>
        Record(inner.LeakyRelu(V(x), slope), x, dy => inner.ReluGradient(V(x), dy, slope));

    // dx = dy where low ≤ x ≤ high
    public Tensor Clip(Tensor x, float low, float high) =>
        Record(inner.Clip(V(x), low, high), x, dy => inner.ClipGradient(V(x), dy, low, high));

    // dx = 0
    public Tensor Round(Tensor x) => Record(inner.Round(V(x)), false);

    // --- shape --------------------------------------------------------------------------------------------------------

    // dx = dy in the shape of x
    public Tensor Reshape(Tensor x, params ReadOnlySpan<int> shape) =>
        Record(inner.Reshape(V(x), shape), x, dy => inner.Reshape(dy, x.Shape.Axes));

    // dx = dy under the inverse order
    public Tensor Transpose(Tensor x, params ReadOnlySpan<int> order)
    {
        var inverse = new int[order.Length];
        var y = inner.Transpose(V(x), order);
        for (var axis = 0; axis < order.Length; axis++) inverse[order[axis]] = axis;
        return Record(y, x, dy => inner.Transpose(dy, inverse));
    }

    // dparts = dy, cut where they were joined
    public Tensor Concat(int axis, params ReadOnlySpan<Tensor> parts)
    {
        var values = new Tensor[parts.Length];
        var inputs = new (TapeTensor, Pullback)[parts.Length];
        for (int i = 0, start = 0; i < parts.Length; i++)
        {
            values[i] = V(parts[i]);
            int from = start, length = parts[i].Shape[axis];
            inputs[i] = (Own(parts[i]), dy => inner.Slice(dy, axis, from, length));
            start += length;
        }
        return Record(inner.Concat(axis, values), inputs);
    }

    // dx = dy between zeros
    public Tensor Slice(Tensor x, int axis, int start, int length) => Record(inner.Slice(V(x), axis, start, length), x, dy =>
        inner.Concat(axis, Zeros(x.Shape, axis, start), dy, Zeros(x.Shape, axis, x.Shape[axis] - start - length)));

    Tensor Zeros(Shape shape, int axis, int length)
    {
        var axes = shape.Axes.ToArray();
        axes[axis < 0 ? axis + axes.Length : axis] = length;
        var zeros = new Shape(axes);
        return inner.FromValues(new float[zeros.Count], zeros);
    }

    // --- reductions and products --------------------------------------------------------------------------------------

    // dx = dy, repeated along the reduced axes
    public Tensor ReduceSum(Tensor x, bool keepAxes, params ReadOnlySpan<int> axes)
    {
        var kept = ShapeRules.Reduce(x.Shape, keepAxes: true, axes);
        return Record(inner.ReduceSum(V(x), keepAxes, axes), x, dy =>
            inner.Add(inner.Reshape(dy, kept.Axes), inner.FromValues(new float[x.Shape.Count], x.Shape)));
    }

    // dx = 0
    public Tensor ArgMax(Tensor x) => Record(inner.ArgMax(V(x)), false);

    // y = a · b:  da = dy · bᵀ, db = aᵀ · dy; for a transposed operand, the transpose of that
    public Tensor MatMul(Tensor a, Tensor b, bool transposeA = false, bool transposeB = false) => Record(
        inner.MatMul(V(a), V(b), transposeA, transposeB),
        a, dy => transposeA ? inner.MatMul(V(b), dy, transposeB, true) : inner.MatMul(dy, V(b), false, !transposeB),
        b, dy => transposeB ? inner.MatMul(dy, V(a), true, transposeA) : inner.MatMul(V(a), dy, !transposeA, false));

    // dx = the transposed convolution of dy, dweight = Σ x · dy
    public Tensor Conv(Tensor x, Tensor weight, Window window) => Record(
        inner.Conv(V(x), V(weight), window),
        x, dy => ConvInputGradient(dy, V(weight), x.Shape, window),
        weight, dy => inner.ConvWeightGradient(V(x), dy, window));

    /// <summary>Output padding gives back the pixels that a stride does not reach; where height and width differ in that, the
    /// surplus is cut off.</summary>
    Tensor ConvInputGradient(Tensor dy, Tensor weight, Shape x, Window window)
    {
        int Surplus(int extent) => (extent + 2 * window.Padding - window.Kernel) % window.Stride;
        var dx = inner.ConvTranspose(dy, weight, window with { OutputPadding = Math.Max(Surplus(x[2]), Surplus(x[3])) });
        if (dx.Shape[2] != x[2]) dx = inner.Slice(dx, 2, 0, x[2]);
        return dx.Shape[3] == x[3] ? dx : inner.Slice(dx, 3, 0, x[3]);
    }

    // dx = the convolution of dy, dweight = Σ dy · x: x and dy change places
    public Tensor ConvTranspose(Tensor x, Tensor weight, Window window) => Record(
        inner.ConvTranspose(V(x), V(weight), window),
        x, dy => inner.Conv(dy, V(weight), window),
        weight, dy => inner.ConvWeightGradient(dy, V(x), window));

    // dx = dy at the first of the largest under each window
    public Tensor MaxPool(Tensor x, Window window) =>
        Record(inner.MaxPool(V(x), window), x, dy => inner.MaxPoolGradient(V(x), dy, window));

    // --- composites with a gradient of their own -----------------------------------------------------------------------

    // as Conv, and dbias = dy summed over all but the channels; then as Relu
    public Tensor Conv(Tensor x, Tensor weight, Tensor bias, Window window, bool relu)
    {
        var y = inner.Conv(V(x), V(weight), V(bias), window, relu);
        return AfterRelu(relu, Record(y,
            (Own(x), dy => ConvInputGradient(dy, V(weight), x.Shape, window)),
            (Own(weight), dy => inner.ConvWeightGradient(V(x), dy, window)),
            (Own(bias), dy => inner.ReduceSum(dy, keepAxes: false, 0, 2, 3))));
    }

    // the same
    public Tensor ConvTranspose(Tensor x, Tensor weight, Tensor bias, Window window, bool relu)
    {
        var y = inner.ConvTranspose(V(x), V(weight), V(bias), window, relu);
        return AfterRelu(relu, Record(y,
            (Own(x), dy => inner.Conv(dy, V(weight), window)),
            (Own(weight), dy => inner.ConvWeightGradient(dy, V(x), window)),
            (Own(bias), dy => inner.ReduceSum(dy, keepAxes: false, 0, 2, 3))));
    }

    /// <summary>The ReLU that the value has gone through already: its gradient needs only the sign, which is the same before and
    /// after.</summary>
    TapeTensor AfterRelu(bool relu, TapeTensor y) => relu ? Record(y.Value, y, dy => inner.ReluGradient(y.Value, dy, 0)) : y;

    public (Tensor Output, Tensor Mean, Tensor Variance) BatchNormalizationTraining(
        Tensor x, Tensor weight, Tensor bias, float epsilon)
    {
        var (y, mean, variance) = inner.BatchNormalizationTraining(V(x), V(weight), V(bias), epsilon);
        // one kernel computes all three
        var all = Shared(dy => inner.BatchNormalizationGradient(V(x), mean, variance, V(weight), dy, epsilon));
        var output = Record(y, (Own(x), dy => all(dy).X), (Own(weight), dy => all(dy).Weight), (Own(bias), dy => all(dy).Bias));
        return (output, Record(mean, false), Record(variance, false));
    }

    public Tensor GroupNormalization(Tensor x, Tensor weight, Tensor bias, int groups, float epsilon)
    {
        var y = inner.GroupNormalization(V(x), V(weight), V(bias), groups, epsilon);
        // one kernel computes all three
        var all = Shared(dy => inner.GroupNormalizationGradient(V(x), V(weight), dy, groups, epsilon));
        return Record(y, (Own(x), dy => all(dy).X), (Own(weight), dy => all(dy).Weight), (Own(bias), dy => all(dy).Bias));
    }

    // dx = 2 · dy · (x − target), dtarget = −dx, with an image's dy for each of its elements
    public Tensor SquaredErrorSum(Tensor x, Tensor target) => Record(
        inner.SquaredErrorSum(V(x), V(target)),
        x, dy => (V(x) - V(target)) * PerImage(dy * 2, x.Shape),
        target, dy => (V(target) - V(x)) * PerImage(dy * 2, x.Shape));

    // dlogits = dy · (σ(logits) − target), dtarget = −dy · logits, likewise
    public Tensor BinaryCrossEntropySum(Tensor logits, Tensor target) => Record(
        inner.BinaryCrossEntropySum(V(logits), V(target)),
        logits, dy => (inner.Sigmoid(V(logits)) - V(target)) * PerImage(dy, logits.Shape),
        target, dy => -(V(logits) * PerImage(dy, logits.Shape)));

    /// <summary>[N] → [N, 1, …], to be repeated over an image's elements.</summary>
    Tensor PerImage(Tensor dy, Shape x) => inner.Reshape(dy, [x[0], .. Enumerable.Repeat(1, x.Rank - 1)]);
}
