using System.Runtime.InteropServices;
using TorchSharp;
using VaeFunctions.Tensors;
using VaeFunctions.Torch;

namespace VaeFunctions.Training;

public static partial class Devices
{
    static partial void CountGpus(ref int count)
    {
        if (WhyAbsent() is null && torch.cuda.is_available()) count = torch.cuda.device_count();
    }

    static partial void OpenTorch(int? gpu, int threads, bool tf32, ref ITrainingBackend? backend)
    {
        if (WhyAbsent() is { } why) throw new DeviceException(why);
        if (threads > 0) torch.set_num_threads(threads);
        if (gpu is not { } index)
        {
            backend = new TorchBackend(torch.CPU, "libtorch on the CPU");
            return;
        }
        var count = 0;
        CountGpus(ref count);
        if (index >= count)
            throw new DeviceException(count == 0
                ? "--device cuda: libtorch finds no CUDA GPU. On a machine that has one, look at nvidia-smi and at the driver, which must know CUDA 12.8, and take the build without -p:Torch=cpu; elsewhere train with --device cpu."
                : $"--device cuda:{index}: there {(count == 1 ? "is one GPU, cuda:0" : $"are {count} GPUs, cuda:0 to cuda:{count - 1}")}.");
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32;
        backend = new TorchBackend(new(DeviceType.CUDA, index), $"libtorch on cuda:{index}{(tf32 ? ", TF32" : "")}");
    }

    /// <summary>Asked before libtorch is touched: without its libraries the first call prints pages and leaves TorchSharp unusable.</summary>
    static string? WhyAbsent() => NativeLibrary.TryLoad("LibTorchSharp", typeof(torch).Assembly, null, out _)
        ? null
        : "TorchSharp's native library LibTorchSharp, or libtorch below it, cannot be loaded. The packages TorchSharp-cpu and TorchSharp-cuda-linux bring both for x86-64 Linux: "
            + "restore one of them, or train with --device cpu.";
}
