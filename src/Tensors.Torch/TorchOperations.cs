using System.Runtime.InteropServices;
using TorchSharp;
using VaeFunctions.Tensors;
using static TorchSharp.torch.nn;
using Native = TorchSharp.torch.Tensor;

namespace VaeFunctions.Torch;

/// <summary>The operations in libtorch's words. Whether their gradients are recorded is up to the tensors they are
/// given.</summary>
/// <remarks>Reshaped, transposed and cut tensors are views. So pixels, [N, H, W, C], whose axes are reordered to [N, C, H, W],
/// stay channels-last in memory, and convolutions go on in that layout, which is the one that GPUs' tensor cores work in.
/// TorchSharp gives libtorch an object's address and forgets the object, which the garbage collector may then free before it is
/// read. So what a call is given is held until it returns: scalars by <c>using</c>, also those that TorchSharp would make by
/// itself, operands by <see cref="New"/>.</remarks>
abstract class TorchOperations(torch.Device device) : IBackend
{
    protected static Scalar One { get; } = 1f;

    static readonly Scalar zero = 0f;

    /// <summary>Where tensors live.</summary>
    protected torch.Device Place { get; } = device;

    public virtual bool IsTraining => false;

    public abstract Tensor FromParameter(Parameter parameter);

    public abstract Tensor StopGradient(Tensor x);

    public IDisposable BeginScope() => torch.NewDisposeScope();

    public Tensor FromValues(ReadOnlySpan<float> values, Shape shape)
    {
        var host = torch.empty(Longs(ShapeRules.Values(values.Length, shape).Axes), torch.float32);
        if (shape.Count > 0) MemoryMarshal.AsBytes(values).CopyTo(host.bytes);
        GC.KeepAlive(host);
        if (Place.type == DeviceType.CPU) return New(host, shape);
        using (host) return New(host.to(Place), shape);
    }

    public Tensor Scalar(float value)
    {
        using Scalar held = value;
        return New(torch.full([], held, torch.float32, Place), Shape.Scalar);
    }

    public void CopyTo(Tensor tensor, Span<float> destination)
    {
        ShapeRules.CopyTo(tensor.Shape, destination.Length);
        if (destination.IsEmpty) return;
        using var values = V(tensor).detach();
        using var near = values.cpu();
        using var host = near.contiguous();
        MemoryMarshal.Cast<byte, float>(host.bytes).CopyTo(destination);
        GC.KeepAlive(tensor);
    }

    // --- element by element -------------------------------------------------------------------------------------------

    public Tensor Add(Tensor left, Tensor right) => Binary(left, right, "Add", static (a, b) => a.add(b, One));

    public Tensor Subtract(Tensor left, Tensor right) => Binary(left, right, "Subtract", torch.sub);

    public Tensor Multiply(Tensor left, Tensor right) => Binary(left, right, "Multiply", torch.mul);

    public Tensor Divide(Tensor left, Tensor right) => Binary(left, right, "Divide", static (a, b) => a.div(b));

    public Tensor Negate(Tensor x) => New(V(x).neg(), x.Shape, x);

    public Tensor Exp(Tensor x) => New(V(x).exp(), x.Shape, x);

    public Tensor Log(Tensor x) => New(V(x).log(), x.Shape, x);

    /// <remarks>On a CPU by way of doubles: MKL, which libtorch asks there, may miss the nearest single by one.</remarks>
    public Tensor Sqrt(Tensor x)
    {
        if (Place.type != DeviceType.CPU) return New(V(x).sqrt(), x.Shape, x);
        using var wide = V(x).to(torch.float64);
        using var root = wide.sqrt();
        return New(root.to(torch.float32), x.Shape, x);
    }

    public Tensor Tanh(Tensor x) => New(V(x).tanh(), x.Shape, x);

    public Tensor Sigmoid(Tensor x) => New(V(x).sigmoid(), x.Shape, x);

    /// <remarks>log(1 + eˣ) = −log σ(−x). TorchSharp's softplus makes scalars by itself.</remarks>
    public Tensor Softplus(Tensor x)
    {
        using var negative = V(x).neg();
        using var logarithm = negative.log_sigmoid();
        return New(logarithm.neg(), x.Shape, x);
    }

    public Tensor Relu(Tensor x) => New(V(x).relu(), x.Shape, x);

    public Tensor Silu(Tensor x) => New(functional.silu(V(x)), x.Shape, x);

    public Tensor LeakyRelu(Tensor x, float slope)
    {
        using Scalar held = slope;
        return New(V(x).leaky_relu(held), x.Shape, x);
    }

    public Tensor Clip(Tensor x, float low, float high)
    {
        using Scalar lowest = low, highest = high;
        return New(V(x).clamp(lowest, highest), x.Shape, x);
    }

    public Tensor Round(Tensor x)
    {
        using var constant = V(x).detach();
        return New(constant.round(), x.Shape, x);
    }

    // --- shape --------------------------------------------------------------------------------------------------------

    public Tensor Reshape(Tensor x, params ReadOnlySpan<int> shape)
    {
        var result = x.Shape.Reshape(shape);
        return New(V(x).reshape(Longs(result.Axes)), result, x);
    }

    public Tensor Transpose(Tensor x, params ReadOnlySpan<int> order)
    {
        var result = ShapeRules.Transpose(x.Shape, order);
        return New(V(x).permute(Longs(order)), result, x);
    }

    public Tensor Concat(int axis, params ReadOnlySpan<Tensor> parts)
    {
        var result = ShapeRules.Concat(axis, parts);
        var values = Array.ConvertAll(parts.ToArray(), V);
        var joined = torch.cat(values, axis);
        GC.KeepAlive(values);
        return New(joined, result);
    }

    public Tensor Slice(Tensor x, int axis, int start, int length)
    {
        var result = ShapeRules.Slice(x.Shape, axis, start, length);
        return New(V(x).narrow(axis, start, length), result, x);
    }

    // --- reductions and products --------------------------------------------------------------------------------------

    public Tensor ReduceSum(Tensor x, bool keepAxes, params ReadOnlySpan<int> axes)
    {
        var result = ShapeRules.Reduce(x.Shape, keepAxes, axes);
        if (x.Shape.Rank == 0) return New(V(x).alias(), result, x);
        return New(V(x).sum(Longs(axes.IsEmpty ? [.. Enumerable.Range(0, x.Shape.Rank)] : axes), keepAxes), result, x);
    }

    public Tensor ArgMax(Tensor x)
    {
        var result = ShapeRules.ArgMax(x.Shape);
        using var index = V(x).argmax(-1);
        return New(index.to(torch.float32), result, x);
    }

    public Tensor MatMul(Tensor left, Tensor right, bool transposeLeft = false, bool transposeRight = false)
    {
        var result = ShapeRules.MatMul(left.Shape, right.Shape, transposeLeft, transposeRight);
        using var a = transposeLeft ? V(left).t() : V(left).alias();
        using var b = transposeRight ? V(right).t() : V(right).alias();
        return New(a.mm(b), result, left, right);
    }

    public Tensor Conv(Tensor x, Tensor weight, Window window)
    {
        var result = ShapeRules.Conv(x.Shape, weight.Shape, window);
        return New(functional.conv2d(V(x), V(weight), null, Both(window.Stride), Both(window.Padding)), result, x, weight);
    }

    public Tensor ConvTranspose(Tensor x, Tensor weight, Window window)
    {
        var result = ShapeRules.ConvTranspose(x.Shape, weight.Shape, window);
        return New(functional.conv_transpose2d(
            V(x), V(weight), null, Both(window.Stride), Both(window.Padding), Both(window.OutputPadding)), result, x, weight);
    }

    public Tensor MaxPool(Tensor x, Window window)
    {
        var result = ShapeRules.MaxPool(x.Shape, window);
        return New(functional.max_pool2d(V(x), Both(window.Kernel), Both(window.Stride), Both(window.Padding)), result, x);
    }

    // --- composites that libtorch has in one --------------------------------------------------------------------------

    public Tensor Linear(Tensor x, Tensor weight, Tensor bias)
    {
        var result = ShapeRules.Linear(x.Shape, weight.Shape, bias.Shape);
        return New(functional.linear(V(x), V(weight), V(bias)), result, x, weight, bias);
    }

    public Tensor Conv(Tensor x, Tensor weight, Tensor bias, Window window, bool relu)
    {
        var result = ShapeRules.Conv(x.Shape, weight.Shape, window);
        ShapeRules.Same(bias.Shape, new(result[1]), "Conv", "bias", "the channels");
        var y = functional.conv2d(V(x), V(weight), V(bias), Both(window.Stride), Both(window.Padding));
        return New(relu ? y.relu_() : y, result, x, weight, bias);
    }

    public Tensor ConvTranspose(Tensor x, Tensor weight, Tensor bias, Window window, bool relu)
    {
        var result = ShapeRules.ConvTranspose(x.Shape, weight.Shape, window);
        ShapeRules.Same(bias.Shape, new(result[1]), "ConvTranspose", "bias", "the channels");
        var y = functional.conv_transpose2d(
            V(x), V(weight), V(bias), Both(window.Stride), Both(window.Padding), Both(window.OutputPadding));
        return New(relu ? y.relu_() : y, result, x, weight, bias);
    }

    public (Tensor Output, Tensor Mean, Tensor Variance) BatchNormalizationTraining(
        Tensor x, Tensor weight, Tensor bias, float epsilon)
    {
        var result = ShapeRules.BatchNormalization(x.Shape, weight.Shape, bias.Shape);
        var count = ShapeRules.ElementsPerChannel(x.Shape);
        if (count == 1) // libtorch refuses: the unbiased variance would be 0 / 0
            return (Add(Multiply(Subtract(x, x), Reshape(weight, -1, 1, 1)),
                Reshape(bias, -1, 1, 1)), StopGradient(Reshape(x, -1)), New(torch.zeros_like(V(bias)), bias.Shape, bias));
        // Running statistics of momentum 1 are the batch's own; libtorch has no other way to get at them.
        Native mean = torch.zeros(Longs(bias.Shape.Axes), torch.float32, Place), variance = torch.zeros_like(mean);
        using Scalar toBiased = (count - 1f) / count;
        var y = functional.batch_norm(V(x), mean, variance, V(weight), V(bias), training: true, momentum: 1, eps: epsilon);
        // the biased one
        return (New(y, result, x, weight, bias), New(mean, bias.Shape), New(variance.mul(toBiased), bias.Shape));
    }

    public Tensor GroupNormalization(Tensor x, Tensor weight, Tensor bias, int groups, float epsilon)
    {
        ShapeRules.GroupNormalization(x.Shape, weight.Shape, bias.Shape, groups);
        return New(functional.group_norm(V(x), groups, V(weight), V(bias), epsilon), x.Shape, x, weight, bias);
    }

    public Tensor OneHot(Tensor indices, int count)
    {
        using Scalar end = count;
        using var all = torch.arange(zero, end, One, torch.float32, Place);
        using var last = V(indices).unsqueeze(-1);
        using var equal = last.eq(all);
        return New(equal.to(torch.float32), new([.. indices.Shape.Axes, count]), indices);
    }

    public Tensor LogSumExp(Tensor x) =>
        New(V(x).logsumexp(-1, keepdim: true), ShapeRules.Reduce(x.Shape, keepAxes: true, [-1]), x);

    // --- shared -------------------------------------------------------------------------------------------------------

    /// <summary>The one cast of this back end.</summary>
    protected Native V(Tensor tensor) => tensor is TorchTensor own && own.Backend == this
        ? own.Value
        : throw new ArgumentException(
            $"{GetType().Name} was given a {tensor}; bring it over with FromValues, FromParameter or Variable.", nameof(tensor));

    /// <summary>A tensor of this back end, and the assurance that the operands it came from lived until now.</summary>
    protected Tensor New(Native value, Shape shape, Tensor? x = null, Tensor? y = null, Tensor? z = null)
    {
        GC.KeepAlive(x);
        GC.KeepAlive(y);
        GC.KeepAlive(z);
        return new TorchTensor(this, value, shape);
    }

    Tensor Binary(Tensor left, Tensor right, string operation, Func<Native, Native, Native> function)
    {
        var result = Shape.Broadcast(left.Shape, right.Shape, operation);
        return New(function(V(left), V(right)), result, left, right);
    }

    static long[] Both(int value) => [value, value];

    protected static long[] Longs(ReadOnlySpan<int> values)
    {
        var longs = new long[values.Length];
        for (var i = 0; i < longs.Length; i++) longs[i] = values[i];
        return longs;
    }
}
