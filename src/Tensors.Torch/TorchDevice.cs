using System.Runtime.InteropServices;
using TorchSharp;
using VaeFunctions.Tensors;

namespace VaeFunctions.Torch;

/// <summary>Opens libtorch, on the CPU or on a GPU, where its native libraries are.</summary>
public static class TorchDevice
{
    /// <summary>How many NVIDIA GPUs libtorch can use; 0 without libtorch.</summary>
    public static int CountGpus() => WhyAbsent() is null && torch.cuda.is_available() ? torch.cuda.device_count() : 0;

    /// <param name="threads">Threads that compute; 0 leaves the choice to libtorch.</param>
    /// <exception cref="DeviceException">libtorch is not there.</exception>
    public static ITrainingBackend OpenCpu(int threads = 0)
    {
        if (WhyAbsent() is { } why) throw new DeviceException(why);
        if (threads > 0) torch.set_num_threads(threads);
        return new TorchBackend(torch.CPU, "libtorch on the CPU");
    }

    /// <param name="index">Which GPU, from 0.</param>
    /// <param name="tf32">Whether factors may be rounded to TensorFloat-32, whose mantissa has 10 bits.</param>
    /// <exception cref="DeviceException">libtorch or the GPU is not there.</exception>
    public static ITrainingBackend OpenGpu(int index, bool tf32 = false)
    {
        if (WhyAbsent() is { } why) throw new DeviceException(why);
        var count = CountGpus();
        if (index >= count)
            throw new DeviceException(count == 0
                ? "--device cuda: libtorch finds no CUDA GPU. On a machine that has one, look at nvidia-smi and at the driver, which must know CUDA 12.8, and take the build with -p:Torch=cuda; elsewhere train with --device cpu."
                : $"--device cuda:{index}: there {(count == 1 ? "is one GPU, cuda:0" : $"are {count} GPUs, cuda:0 to cuda:{count - 1}")}.");
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32;
        return new TorchBackend(new(DeviceType.CUDA, index), $"libtorch on cuda:{index}{(tf32 ? ", TF32" : "")}");
    }

    /// <summary>Asked before libtorch is touched: without its libraries the first call prints pages and leaves TorchSharp unusable.</summary>
    static string? WhyAbsent() => NativeLibrary.TryLoad("LibTorchSharp", typeof(torch).Assembly, null, out _)
        ? null
        : "libtorch is not in this build, or cannot be loaded. The training container has it, and so has any build with -p:Torch=cuda or -p:Torch=cpu; "
            + "this one trains with --device cpu.";
}
