using VaeFunctions.Reference;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Conformance;

/// <summary>The definition itself, against numbers worked out by hand. ONNX Runtime, which is compared with it, is the second
/// witness.</summary>
public class ReferenceTests
{
    readonly ReferenceBackend backend = new();

    /// <summary>[1 2; 3 4] under the kernel [1 10; 100 1000]: 1·1 + 2·10 + 3·100 + 4·1000; with padding, its rim.</summary>
    [Fact]
    public void Convolution_slides_the_kernel_without_turning_it()
    {
        var (x, weight) = (Of([1, 2, 3, 4], 1, 1, 2, 2), Of([1, 10, 100, 1000], 1, 1, 2, 2));
        Assert.Equal([4321], Values(backend.Conv(x, weight, new Window(2))));
        Assert.Equal([1000, 2100, 200, 3010, 4321, 402, 30, 43, 4], Values(backend.Conv(x, weight, new Window(2, 1, 1))));
    }

    /// <summary>Each pixel stamps the kernel; at stride 2 the stamps lie side by side, and output padding adds an empty
    /// rim.</summary>
    [Fact]
    public void Transposed_convolution_stamps_the_kernel()
    {
        var (x, weight) = (Of([1, 2], 1, 1, 1, 2), Of([1, 10, 100, 1000], 1, 1, 2, 2));
        Assert.Equal([1, 10, 2, 20, 100, 1000, 200, 2000], Values(backend.ConvTranspose(x, weight, new Window(2, 2))));
        Assert.Equal([1, 10, 2, 20, 0, 100, 1000, 200, 2000, 0, 0, 0, 0, 0, 0],
            Values(backend.ConvTranspose(x, weight, new Window(2, 2, 0, 1))));
    }

    [Fact]
    public void Softplus_keeps_what_is_small_and_what_is_large()
    {
        var values = Values(backend.Softplus(Of([-100, -1e-30f, 0, 1000], 4)));
        Assert.Equal(Math.Exp(-100), values[0], 1e-58);
        Assert.Equal(Math.Log(2), values[1], 1e-15);
        Assert.Equal(Math.Log(2), values[2], 1e-15);
        Assert.Equal(1000, values[3]);
    }

    [Fact]
    public void Halves_round_to_the_even_number() =>
        Assert.Equal([-2, -0.0, 0, 2, 2], Values(backend.Round(Of([-1.5f, -0.5f, 0.5f, 1.5f, 2.5f], 5))));

    /// <summary>
    /// Gradients 1/2, then −1; learning rate 1/10.
    /// Step 1: m = 0.05, v = 0.00025; corrected 0.5 and 0.25, so 1 − 0.1 · 0.5 / √0.25 = 0.9.
    /// Step 2: m = −0.055, v = 0.00124975; corrected −0.055 / 0.19 and 0.00124975 / 0.001999, so 0.9 + 0.1 · 0.289474 / 0.790688
    /// = 0.936610.
    /// </summary>
    [Fact]
    public void Adam_takes_the_steps_of_the_paper()
    {
        var (parameter, mean, square) = (Of([1], 1), Of([0], 1), Of([0], 1));
        ITrainingBackend training = backend;
        training.AdamStep(parameter, Of([0.5f], 1), mean, square, new AdamOptions(0.1f), step: 1);
        Assert.Equal(0.9, Values(parameter)[0], 1e-6);
        training.AdamStep(parameter, Of([-1], 1), mean, square, new AdamOptions(0.1f), step: 2);
        Assert.Equal(0.936610, Values(parameter)[0], 1e-6);
    }

    /// <summary>v = 0.1 · 2² = 0.4, so 1 − 0.01 · 2 / √0.4 = 0.968377.</summary>
    [Fact]
    public void RmsProp_divides_by_the_running_root()
    {
        var (parameter, square) = (Of([1], 1), Of([0], 1));
        ((ITrainingBackend)backend).RmsPropStep(parameter, Of([2], 1), square, new RmsPropOptions(0.01f));
        Assert.Equal(0.968377, Values(parameter)[0], 1e-6);
    }

    [Fact]
    public void A_parameter_in_doubles_is_used_as_it_is_and_another_is_converted()
    {
        var value = backend.FromDoubles([0.1], new Shape(1));
        Assert.Same(value, new ReferenceBackend().FromParameter(new Parameter("weight", ParameterKind.Weight, value)));
        var single =
            new Parameter("weight", ParameterKind.Weight, new Cpu.CpuBackend(threads: 1).FromValues([0.1f], new Shape(1)));
        Assert.Equal([0.1f], Values(backend.FromParameter(single)));
    }

    Tensor Of(float[] values, params int[] axes) => backend.FromValues(values, new Shape(axes));

    static double[] Values(Tensor tensor) => ((ReferenceTensor)tensor).Values;
}
