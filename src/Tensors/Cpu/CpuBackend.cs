using System.Numerics.Tensors;
using VaeFunctions.Autograd;
using VaeFunctions.Cpu.Kernels;
using VaeFunctions.Tensors;
using Tensor = VaeFunctions.Tensors.Tensor;

namespace VaeFunctions.Cpu;

/// <summary>Computes on the CPU with SIMD kernels and several threads. Results do not depend on the number of threads.</summary>
/// <remarks>One instance serves one thread of control at a time: scopes nest on it. Elementwise mathematics is
/// System.Numerics.Tensors' where it has the function; products, convolutions and reductions are in Kernels/.</remarks>
public sealed class CpuBackend : ITapedBackend
{
    /// <summary>Elements of an elementwise operation that a thread takes at a time.</summary>
    const int Grain = 1 << 14;

    delegate void UnaryKernel(ReadOnlySpan<float> x, Span<float> y);

    delegate void BinaryKernel(ReadOnlySpan<float> left, ReadOnlySpan<float> right, Span<float> y);

    readonly BufferPool pool;
    readonly Team team;
    readonly Convolution convolution;

    /// <param name="threads">How many threads compute; 0 takes one for each processor.</param>
    public CpuBackend(int threads = 0)
    {
        pool = new();
        team = Team.Of(threads > 0 ? threads : Environment.ProcessorCount);
        convolution = new(team, pool);
    }

    public string Device => "cpu";

    public IDisposable BeginScope() => pool.BeginScope();

    public Tensor FromValues(ReadOnlySpan<float> values, Shape shape)
    {
        var result = New(ShapeRules.Values(values.Length, shape));
        values.CopyTo(result.Values);
        return result;
    }

    public Tensor FromParameter(Parameter parameter) => parameter.Value is CpuTensor own && own.Backend == this
        ? own
        : FromValues(parameter.Value.ToArray(), parameter.Shape);

    public void CopyTo(Tensor tensor, Span<float> destination)
    {
        ShapeRules.CopyTo(tensor.Shape, destination.Length);
        Values(tensor).CopyTo(destination);
    }

    // --- element by element -------------------------------------------------------------------------------------------

    public Tensor Add(Tensor left, Tensor right) => Binary<AddOperation>(left, right, "Add");

    public Tensor Subtract(Tensor left, Tensor right) => Binary<SubtractOperation>(left, right, "Subtract");

    public Tensor Multiply(Tensor left, Tensor right) => Binary<MultiplyOperation>(left, right, "Multiply");

    public Tensor Divide(Tensor left, Tensor right) => Binary<DivideOperation>(left, right, "Divide");

    public Tensor Negate(Tensor x) => Unary(x, TensorPrimitives.Negate<float>);

    public Tensor Exp(Tensor x) => Unary(x, TensorPrimitives.Exp<float>);

    public Tensor Log(Tensor x) => Unary(x, TensorPrimitives.Log<float>);

    public Tensor Sqrt(Tensor x) => Unary(x, TensorPrimitives.Sqrt<float>);

    public Tensor Tanh(Tensor x) => Unary(x, TensorPrimitives.Tanh<float>);

    public Tensor Sigmoid(Tensor x) => Unary(x, TensorPrimitives.Sigmoid<float>);

    public Tensor Softplus(Tensor x) => Unary(x, UnaryOperations.Softplus);

    public Tensor Relu(Tensor x) => Unary(x, static (x, y) => TensorPrimitives.Max(x, 0f, y));

    public Tensor LeakyRelu(Tensor x, float slope) => Unary(x, (x, y) => UnaryOperations.LeakyRelu(x, slope, y));

    public Tensor Silu(Tensor x) => Unary(x, UnaryOperations.Silu);

    public Tensor Clip(Tensor x, float low, float high) => Unary(x, (x, y) => TensorPrimitives.Clamp(x, low, high, y));

    public Tensor Round(Tensor x) => Unary(x, static (x, y) => TensorPrimitives.Round(x, MidpointRounding.ToEven, y));

    // --- shape --------------------------------------------------------------------------------------------------------

    public Tensor Reshape(Tensor x, params ReadOnlySpan<int> shape) => new CpuTensor(this, Own(x).Buffer, x.Shape.Reshape(shape));

    public Tensor Transpose(Tensor x, params ReadOnlySpan<int> order)
    {
        var result = New(ShapeRules.Transpose(x.Shape, order));
        Arrangement.Transpose(team, Values(x), x.Shape, order, result.Values, result.Shape);
        return result;
    }

    public Tensor Concat(int axis, params ReadOnlySpan<Tensor> parts)
    {
        var result = New(ShapeRules.Concat(axis, parts));
        axis = ShapeRules.Axis(result.Shape, axis, "Concat");
        var start = 0;
        foreach (var part in parts)
        {
            Arrangement.CopyAxis(Values(part), part.Shape, axis, 0, result.Values, result.Shape, start, part.Shape[axis]);
            start += part.Shape[axis];
        }
        return result;
    }

    public Tensor Slice(Tensor x, int axis, int start, int length)
    {
        var result = New(ShapeRules.Slice(x.Shape, axis, start, length));
        Arrangement.CopyAxis(
            Values(x), x.Shape, ShapeRules.Axis(x.Shape, axis, "Slice"), start, result.Values, result.Shape, 0, length);
        return result;
    }

    // --- reductions and products --------------------------------------------------------------------------------------

    public Tensor ReduceSum(Tensor x, bool keepAxes, params ReadOnlySpan<int> axes)
    {
        var result = New(ShapeRules.Reduce(x.Shape, keepAxes, axes));
        Reduction.Sum(team, Values(x), x.Shape, axes, result.Values);
        return result;
    }

    public Tensor ArgMax(Tensor x)
    {
        var result = New(ShapeRules.ArgMax(x.Shape));
        float[] source = Values(x), target = result.Values;
        var columns = x.Shape[-1];
        team.ForRange(target.Length, Math.Max(1, Grain / columns), (start, length) =>
        {
            for (var row = start; row < start + length; row++)
                target[row] = TensorPrimitives.IndexOfMax<float>(source.AsSpan(row * columns, columns));
        });
        return result;
    }

    public Tensor MatMul(Tensor left, Tensor right, bool transposeLeft = false, bool transposeRight = false)
    {
        var result = New(ShapeRules.MatMul(left.Shape, right.Shape, transposeLeft, transposeRight));
        Gemm.Multiply(team,
            Operand.Matrix(Values(left), left.Shape[0], left.Shape[1], transposeLeft),
            Operand.Matrix(Values(right), right.Shape[0], right.Shape[1], !transposeRight),
            Operand.Matrix(result.Values, result.Shape[0], result.Shape[1], transposed: false));
        return result;
    }

    public Tensor Conv(Tensor x, Tensor weight, Window window) => Conv(x, weight, window, default);

    public Tensor ConvTranspose(Tensor x, Tensor weight, Window window) => ConvTranspose(x, weight, window, default);

    public Tensor MaxPool(Tensor x, Window window)
    {
        var result = New(ShapeRules.MaxPool(x.Shape, window));
        Pooling.Max(team, Values(x), x.Shape, result.Values, result.Shape, window);
        return result;
    }

    // --- composites worth a kernel of their own -----------------------------------------------------------------------

    public Tensor Conv(Tensor x, Tensor weight, Tensor bias, Window window, bool relu) =>
        Conv(x, weight, window, Finish(weight.Shape[0], bias, relu, "Conv"));

    public Tensor ConvTranspose(Tensor x, Tensor weight, Tensor bias, Window window, bool relu) =>
        ConvTranspose(x, weight, window, Finish(weight.Shape[1], bias, relu, "ConvTranspose"));

    public (Tensor Output, Tensor Mean, Tensor Variance) BatchNormalizationTraining(
        Tensor x, Tensor weight, Tensor bias, float epsilon)
    {
        var shape = ShapeRules.BatchNormalization(x.Shape, weight.Shape, bias.Shape);
        CpuTensor output = New(shape), mean = New(weight.Shape), variance = New(weight.Shape);
        BatchNormalization.Forward(team, Values(x), shape[0], shape[1], shape[2] * shape[3], Values(weight), Values(bias),
            epsilon,
            mean.Values, variance.Values, output.Values);
        return (output, mean, variance);
    }

    public Tensor GroupNormalization(Tensor x, Tensor weight, Tensor bias, int groups, float epsilon)
    {
        ShapeRules.GroupNormalization(x.Shape, weight.Shape, bias.Shape, groups);
        var result = New(x.Shape);
        Kernels.GroupNormalization.Forward(
            team, Values(x), x.Shape, groups, Values(weight), Values(bias), epsilon, result.Values);
        return result;
    }

    public Tensor BinaryCrossEntropySum(Tensor logits, Tensor target)
    {
        var shape = ShapeRules.Same(logits.Shape, target.Shape, "BinaryCrossEntropySum", "logits", "target");
        var result = New(new(shape[0]));
        CrossEntropy.Sum(team, Values(logits), Values(target), shape.Count / Math.Max(1, shape[0]), result.Values);
        return result;
    }

    // --- training -----------------------------------------------------------------------------------------------------

    public IGradientTape Record() => new GradientTape(this);

    public void Release(Tensor tensor)
    {
        var buffer = Own(tensor).Buffer;
        if (--buffer.Views == 0) pool.Return(buffer);
    }

    public void Assign(Tensor target, Tensor value)
    {
        ShapeRules.Same(target.Shape, value.Shape, "Assign", "target", "value");
        Values(value).CopyTo(Values(target), 0);
    }

    public Tensor ReluGradient(Tensor x, Tensor gradient, float slope) =>
        Binary(x, gradient, "ReluGradient", (x, gradient, y) => UnaryOperations.ReluGradient(x, gradient, slope, y));

    public Tensor SiluGradient(Tensor x, Tensor gradient) => Binary(x, gradient, "SiluGradient", UnaryOperations.SiluGradient);

    public Tensor ClipGradient(Tensor x, Tensor gradient, float low, float high) =>
        Binary(x, gradient, "ClipGradient", (x, gradient, y) => UnaryOperations.ClipGradient(x, gradient, low, high, y));

    public Tensor MaxPoolGradient(Tensor x, Tensor gradient, Window window)
    {
        var pooled = ShapeRules.MaxPool(x.Shape, window);
        ShapeRules.Same(gradient.Shape, pooled, "MaxPoolGradient", "gradient", $"the pool of {x.Shape}");
        var result = New(x.Shape);
        Pooling.MaxGradient(team, Values(x), x.Shape, Values(gradient), gradient.Shape, result.Values, window);
        return result;
    }

    public Tensor ConvWeightGradient(Tensor x, Tensor gradient, Window window)
    {
        var result = New(ShapeRules.ConvWeightGradient(x.Shape, gradient.Shape, window));
        using var temporaries = pool.BeginScope();
        convolution.WeightGradient(Values(x), x.Shape, Values(gradient), gradient.Shape, result.Values, window);
        return result;
    }

    public (Tensor X, Tensor Weight, Tensor Bias) BatchNormalizationGradient(
        Tensor x, Tensor mean, Tensor variance, Tensor weight, Tensor gradient, float epsilon)
    {
        ShapeRules.Same(x.Shape, gradient.Shape, "BatchNormalizationGradient", "x", "gradient");
        var shape = ShapeRules.BatchNormalization(x.Shape, weight.Shape, weight.Shape, mean.Shape, variance.Shape);
        CpuTensor dx = New(shape), dweight = New(weight.Shape), dbias = New(weight.Shape);
        BatchNormalization.Gradient(team, Values(x), shape[0], shape[1], shape[2] * shape[3], Values(mean), Values(variance),
            Values(weight),
            Values(gradient), epsilon, dx.Values, dweight.Values, dbias.Values);
        return (dx, dweight, dbias);
    }

    public (Tensor X, Tensor Weight, Tensor Bias) GroupNormalizationGradient(
        Tensor x, Tensor weight, Tensor gradient, int groups, float epsilon)
    {
        ShapeRules.Same(x.Shape, gradient.Shape, "GroupNormalizationGradient", "x", "gradient");
        ShapeRules.GroupNormalization(x.Shape, weight.Shape, weight.Shape, groups);
        CpuTensor dx = New(x.Shape), dweight = New(weight.Shape), dbias = New(weight.Shape);
        Kernels.GroupNormalization.Gradient(team, Values(x), x.Shape, groups, Values(weight), Values(gradient), epsilon,
            dx.Values, dweight.Values, dbias.Values);
        return (dx, dweight, dbias);
    }

    public void AdamStep(Tensor parameter, Tensor gradient, Tensor mean, Tensor square, AdamOptions options, int step)
    {
        ShapeRules.Same(parameter.Shape, gradient.Shape, "AdamStep", "parameter", "gradient");
        float[] p = Values(parameter), g = Values(gradient), m = Values(mean), v = Values(square);
        team.ForRange(p.Length, Grain, (start, length) => Optimizers.Adam(
            p.AsSpan(start, length), g.AsSpan(start, length), m.AsSpan(start, length), v.AsSpan(start, length), options, step));
    }

    public void RmsPropStep(Tensor parameter, Tensor gradient, Tensor square, RmsPropOptions options)
    {
        ShapeRules.Same(parameter.Shape, gradient.Shape, "RmsPropStep", "parameter", "gradient");
        float[] p = Values(parameter), g = Values(gradient), v = Values(square);
        team.ForRange(p.Length, Grain, (start, length) => Optimizers.RmsProp(
            p.AsSpan(start, length), g.AsSpan(start, length), v.AsSpan(start, length), options));
    }

    public double SumOfSquares(params ReadOnlySpan<Tensor> tensors)
    {
        double sum = 0;
        foreach (var x in tensors) sum += Reduction.SumOfSquares(team, Values(x));
        return sum;
    }

    // --- shared ---------------------------------------------------------------------------------------------------------

    CpuTensor Conv(Tensor x, Tensor weight, Window window, Epilogue finish)
    {
        var result = New(ShapeRules.Conv(x.Shape, weight.Shape, window));
        using var temporaries = pool.BeginScope();
        convolution.Forward(Values(x), x.Shape, Values(weight), result.Values, result.Shape, window, finish);
        return result;
    }

    CpuTensor ConvTranspose(Tensor x, Tensor weight, Window window, Epilogue finish)
    {
        var result = New(ShapeRules.ConvTranspose(x.Shape, weight.Shape, window));
        using var temporaries = pool.BeginScope();
        convolution.Transposed(Values(x), x.Shape, Values(weight), result.Values, result.Shape, window, finish);
        return result;
    }

    Epilogue Finish(int channels, Tensor bias, bool relu, string operation)
    {
        ShapeRules.Same(bias.Shape, new(channels), operation, "bias", "the channels");
        return new(Values(bias), relu);
    }

    CpuTensor New(Shape shape) => new(this, pool.Rent(shape.Count), shape);

    /// <summary>The one cast of this back end.</summary>
    CpuTensor Own(Tensor tensor) => tensor as CpuTensor
        ?? throw new ArgumentException(
            $"A {nameof(CpuBackend)} was given a {tensor}; build the model on this back end.", nameof(tensor));

    float[] Values(Tensor tensor) => Own(tensor).Values;

    CpuTensor Unary(Tensor x, UnaryKernel kernel)
    {
        var result = New(x.Shape);
        float[] source = Values(x), target = result.Values;
        team.ForRange(
            target.Length, Grain, (start, length) => kernel(source.AsSpan(start, length), target.AsSpan(start, length)));
        return result;
    }

    CpuTensor Binary(Tensor left, Tensor right, string operation, BinaryKernel kernel)
    {
        var result = New(ShapeRules.Same(left.Shape, right.Shape, operation));
        float[] a = Values(left), b = Values(right), y = result.Values;
        team.ForRange(y.Length, Grain, (start, length) => kernel(
            a.AsSpan(start, length), b.AsSpan(start, length), y.AsSpan(start, length)));
        return result;
    }

    CpuTensor Binary<TOperation>(Tensor left, Tensor right, string operation)
        where TOperation : IBinaryOperation
    {
        var result = New(Shape.Broadcast(left.Shape, right.Shape, operation));
        Broadcast.Apply<TOperation>(
            team, (Values(left), left.Shape), (Values(right), right.Shape), (result.Values, result.Shape));
        return result;
    }
}
