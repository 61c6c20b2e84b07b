using System.Runtime.InteropServices;
using TorchSharp;
using VaeFunctions.Tensors;

namespace VaeFunctions.Torch;

/// <summary>Opens libtorch, on the CPU or on a GPU, where its native libraries are.</summary>
public static class TorchDevice
{
    static readonly Lazy<string?> wrongOnCpu = new(() => WhyWrong(new TorchBackend(torch.CPU, "libtorch on the CPU")));

    /// <summary>How many NVIDIA GPUs libtorch can use; 0 without libtorch.</summary>
    public static int CountGpus() => WhyAbsent() is null && torch.cuda.is_available() ? torch.cuda.device_count() : 0;

    /// <param name="threads">Threads that compute; 0 leaves the choice to libtorch.</param>
    /// <exception cref="DeviceException">libtorch is not there, or computes wrongly on this machine.</exception>
    public static ITrainingBackend OpenCpu(int threads = 0)
    {
        if (WhyAbsent() is { } why) throw new DeviceException($"--device torch:cpu: {why}");
        if (threads > 0) torch.set_num_threads(threads);
        if (wrongOnCpu.Value is { } wrong) throw new DeviceException(wrong);
        return new TorchBackend(torch.CPU, "libtorch on the CPU");
    }

    /// <param name="index">Which GPU, from 0.</param>
    /// <param name="tf32">Whether factors may be rounded to TensorFloat-32, whose mantissa has 10 bits.</param>
    /// <exception cref="DeviceException">libtorch or the GPU is not there.</exception>
    public static ITrainingBackend OpenGpu(int index, bool tf32 = false)
    {
        if (WhyAbsent() is { } why) throw new DeviceException($"--device cuda:{index}: {why}");
        var count = CountGpus();
        if (index >= count) throw new DeviceException(WhyNoGpu(index, count));
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32;
        return new TorchBackend(new(DeviceType.CUDA, index), $"libtorch on cuda:{index}{(tf32 ? ", TF32" : "")}");
    }

    static string WhyNoGpu(int index, int count) => count switch
    {
        0 => "--device cuda: libtorch finds no CUDA GPU. On a machine that has one, look at nvidia-smi and at the driver, "
            + "which must know CUDA 12.8, "
            + "and take the build with -p:Torch=cuda; elsewhere train with --device cpu.",
        1 => $"--device cuda:{index}: there is one GPU, cuda:0.",
        _ => $"--device cuda:{index}: there are {count} GPUs, cuda:0 to cuda:{count - 1}.",
    };

    /// <summary>Asked before libtorch is touched: without its libraries the first call prints pages and leaves TorchSharp
    /// unusable.</summary>
    static string? WhyAbsent()
    {
        try
        {
            NativeLibrary.Load("LibTorchSharp", typeof(torch).Assembly, null);
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            return WhyAbsent(e.Message);
        }
    }

    /// <param name="loader">What the system's loader said of libtorch.</param>
    // …_2.x of C's library, or …XX_3.4.x of C++'s
    internal static string WhyAbsent(string loader) => loader.Contains("version `GLIBC", StringComparison.Ordinal)
        ? "libtorch is in this build, but needs a newer system: libstdc++ of GCC 13 or later, with GLIBCXX_3.4.32. Debian 13 "
            + "and Ubuntu 24.04 have it, "
            + "and so has the training container; this system trains with --device cpu."
        : "libtorch is not in this build, or cannot be loaded. The training container has it, and so has any build with "
            + "-p:Torch=cuda or -p:Torch=cpu; "
            + "this one trains with --device cpu.";

    /// <summary>What is wrong with the convolutions on this machine; null where nothing is.</summary>
    /// <remarks>oneDNN, by which libtorch convolves on CPUs, plans its work by the sizes of the caches. Where a virtual machine
    /// hides those, some of the work is left out, and nothing says so. These numbers of channels are among those that then come
    /// out wrong. Of ones, each of the three sums counts the same products: images · channels · outputs · (3 · size −
    /// 2)².</remarks>
    internal static string? WhyWrong(ITrainingBackend backend)
    {
        const int images = 2, channels = 17, outputs = 50, size = 8;
        const float expected = images * channels * outputs * (3 * size - 2) * (3 * size - 2);
        var window = new Window(Kernel: 3, Stride: 1, Padding: 1);

        using var scope = backend.BeginScope();
        var tape = backend.Record();
        var x = Ones(tape, images, channels, size, size);
        var weight = tape.Variable(Ones(backend, outputs, channels, 3, 3));
        var convolution = tape.Conv(x, weight, window).Sum();
        var transposed = tape.ConvTranspose(x, Ones(tape, channels, outputs, 3, 3), window).Sum();
        var gradient = tape.Backward(convolution)[weight]!.Sum();

        float[] sums = [convolution.ToScalar(), transposed.ToScalar(), gradient.ToScalar()];
        return Array.TrueForAll(sums, sum => sum == expected)
            ? null
            : "--device torch:cpu: libtorch computes wrongly on this machine. A convolution of ones, a transposed one and a "
                + "weight's gradient came to "
                + FormattableString.Invariant($"{sums[0]:g9}, {sums[1]:g9} and {sums[2]:g9}; each should be {expected:g9}. ")
                + "Its oneDNN does so on virtual machines that hide the processor's caches. Set ONEDNN_MAX_CPU_ISA=SSE41 in "
                    + "the environment, which is slower, or train with --device cpu.";

        static Tensor Ones(IBackend backend, params ReadOnlySpan<int> axes)
        {
            var shape = new Shape(axes);
            return backend.FromValues([.. Enumerable.Repeat(1f, shape.Count)], shape);
        }
    }
}
