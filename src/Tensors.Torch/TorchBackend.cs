using System.Runtime.InteropServices;
using TorchSharp;
using VaeFunctions.Autograd;
using VaeFunctions.Tensors;
using static TorchSharp.torch.nn;
using Native = TorchSharp.torch.Tensor;

namespace VaeFunctions.Torch;

/// <summary>Computes with libtorch, on the CPU or on an NVIDIA GPU.</summary>
/// <remarks>A scope is libtorch's dispose scope, which belongs to the thread: it ends on the thread it began on.</remarks>
/// <param name="device">Where tensors live.</param>
/// <param name="name">The device in words.</param>
sealed class TorchBackend(torch.Device device, string name) : TorchOperations(device), ITrainingBackend
{
    public string Device => name;

    public IGradientTape Record() => new TorchTape(this, Place);

    public override Tensor FromParameter(Parameter parameter) => parameter.Value is TorchTensor own && own.Backend == this
        ? own
        : FromValues(parameter.Value.ToArray(), parameter.Shape);

    public override Tensor StopGradient(Tensor x) => x;

    /// <summary>Above 4 GiB, a quarter of a T4's memory, rows stay with the host, from where each step brings its own.</summary>
    public IResidentRows? Keep(int count, int length, Func<int, ReadOnlySpan<byte>> row) =>
        (long)count * length <= 4L << 30 ? new TorchRows(count, length, row, Place) : null;

    public void Release(Tensor tensor) => V(tensor).Dispose();

    public void Assign(Tensor target, Tensor value)
    {
        ShapeRules.Same(target.Shape, value.Shape, "Assign", "target", "value");
        V(target).copy_(V(value));
        GC.KeepAlive(target);
        GC.KeepAlive(value);
    }

    /// <summary>A tensor of the tape's, which shares its values.</summary>
    internal Native Values(Tensor tensor) => V(tensor).detach();

    /// <summary>A tensor of this back end's with the values of one of its tape's.</summary>
    internal Tensor Own(Native value, Shape shape) => New(value, shape);

    // --- gradients for GradientTape, which libtorch's own tape needs none of ------------------------------------------

    public Tensor ReluGradient(Tensor x, Tensor gradient, float slope)
    {
        using Scalar limit = 0f, factor = slope;
        var result = ShapeRules.Same(x.Shape, gradient.Shape, "ReluGradient");
        using Native above = V(x).gt(limit), elsewhere = V(gradient).mul(factor);
        return New(torch.where(above, V(gradient), elsewhere), result, x, gradient);
    }

    public Tensor ClipGradient(Tensor x, Tensor gradient, float low, float high)
    {
        using Scalar lowest = low, highest = high;
        var result = ShapeRules.Same(x.Shape, gradient.Shape, "ClipGradient");
        using Native above = V(x).ge(lowest), below = V(x).le(highest), inside = above.logical_and(below), elsewhere = torch.zeros_like(V(gradient));
        return New(torch.where(inside, V(gradient), elsewhere), result, x, gradient);
    }

    /// <remarks>The convolution of images with gradients, channels in the place of images: what was the stride is then the distance
    /// between the kernel's taps.</remarks>
    public Tensor ConvWeightGradient(Tensor x, Tensor gradient, Window window)
    {
        var result = ShapeRules.ConvWeightGradient(x.Shape, gradient.Shape, window);
        using Native images = V(x).transpose(0, 1), kernels = V(gradient).transpose(0, 1);
        using var sums = functional.conv2d(images, kernels, null, null, [window.Padding, window.Padding], [window.Stride, window.Stride]);
        using Native ordered = sums.transpose(0, 1), rows = ordered.narrow(2, 0, window.Kernel);
        return New(rows.narrow(3, 0, window.Kernel), result, x, gradient);
    }

    // --- optimizers ---------------------------------------------------------------------------------------------------

    public double SumOfSquares(params ReadOnlySpan<Tensor> tensors)
    {
        using var scope = torch.NewDisposeScope();
        var sum = torch.zeros([], torch.float64, Place); // added up where they are, so that the device is waited for once
        foreach (var x in tensors) sum.add_(V(x).mul(V(x)).sum(torch.float64), One);
        var host = sum.cpu();
        var value = MemoryMarshal.Read<double>(host.bytes);
        GC.KeepAlive(host);
        return value;
    }

    public void AdamStep(Tensor parameter, Tensor gradient, Tensor mean, Tensor square, AdamOptions options, int step)
    {
        ShapeRules.Same(parameter.Shape, gradient.Shape, "AdamStep", "parameter", "gradient");
        Average(mean, gradient, options.Beta1);
        AverageSquare(square, gradient, options.Beta2);
        using Scalar rate = (float)(-options.LearningRate / (1 - Math.Pow(options.Beta1, step))), epsilon = options.Epsilon;
        using Scalar correction = (float)(1 / Math.Sqrt(1 - Math.Pow(options.Beta2, step)));
        using var denominator = V(square).sqrt();
        denominator.mul_(correction).add_(epsilon, One);
        V(parameter).addcdiv_(V(mean), denominator, rate);
    }

    public void RmsPropStep(Tensor parameter, Tensor gradient, Tensor square, RmsPropOptions options)
    {
        ShapeRules.Same(parameter.Shape, gradient.Shape, "RmsPropStep", "parameter", "gradient");
        AverageSquare(square, gradient, options.Decay);
        using Scalar rate = -options.LearningRate, epsilon = options.Epsilon;
        using var denominator = V(square).sqrt();
        denominator.add_(epsilon, One);
        V(parameter).addcdiv_(V(gradient), denominator, rate);
    }

    /// <summary>m ← βm + (1 − β)g</summary>
    void Average(Tensor mean, Tensor gradient, float decay)
    {
        using Scalar keep = decay, take = 1 - decay;
        V(mean).mul_(keep).add_(V(gradient), take);
    }

    /// <summary>v ← βv + (1 − β)g²</summary>
    void AverageSquare(Tensor square, Tensor gradient, float decay)
    {
        using Scalar keep = decay, take = 1 - decay;
        V(square).mul_(keep).addcmul_(V(gradient), V(gradient), take);
    }
}
