using System.Runtime.InteropServices;
using TorchSharp;
using VaeFunctions.Tensors;
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
    public KeptRows? Keep(int count, int length, Func<int, ReadOnlySpan<byte>> row)
    {
        if ((long)count * length > 4L << 30) return null;
        var table = CopyRows(count, length, row);
        return new((places, shape) => TakeRows(table, places, shape), table);
    }

    public void Assign(Tensor target, Tensor value)
    {
        ShapeRules.Same(target.Shape, value.Shape, "Assign", "target", "value");
        V(target).copy_(V(value));
        GC.KeepAlive(target);
        GC.KeepAlive(value);
    }

    /// <summary>A matrix of bytes, [count, length], which no scope disposes of, copied 64 MiB at a time.</summary>
    Native CopyRows(int count, int length, Func<int, ReadOnlySpan<byte>> row)
    {
        var table = torch.empty([count, length], torch.uint8, Place).DetachFromDisposeScope();
        var most = Math.Max(1, (1 << 26) / length);
        for (var start = 0; start < count; start += most)
        {
            using var scope = torch.NewDisposeScope();
            var rows = Math.Min(most, count - start);
            var chunk = torch.empty([rows, length], torch.uint8);
            var bytes = chunk.bytes;
            for (var i = 0; i < rows; i++) row(start + i).CopyTo(bytes.Slice(i * length, length));
            table.narrow(0, start, rows).copy_(chunk);
        }
        return table;
    }

    Tensor TakeRows(Native table, int[] places, Shape shape)
    {
        ShapeRules.Values(places.Length * (int)table.shape[1], shape);
        using var index = torch.tensor(Longs(places), device: Place);
        using var rows = table.index_select(0, index);
        using var values = rows.to(torch.float32);
        return New(values.reshape(Longs(shape.Axes)), shape);
    }

    /// <summary>A tensor of the tape's, which shares its values.</summary>
    internal Native Values(Tensor tensor) => V(tensor).detach();

    /// <summary>A tensor of this back end's with the values of one of its tape's.</summary>
    internal Tensor Own(Native value, Shape shape) => New(value, shape);

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
