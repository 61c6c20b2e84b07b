using System.Globalization;
using VaeFunctions.Cpu;
using VaeFunctions.Tensors;

namespace VaeFunctions.Training;

/// <summary>Where a model is trained: what <c>--device</c> means.</summary>
/// <remarks>The methods without a body are in Torch/, which only a build with TorchSharp compiles; elsewhere calling them does nothing.</remarks>
public static partial class Devices
{
    public const string Auto = "auto", Cpu = "cpu", TorchCpu = "torch:cpu", Cuda = "cuda";

    /// <summary>What can be asked for, in words.</summary>
    public const string Kinds = "auto, a GPU where this build and machine have one and cpu otherwise; cpu, this project's own kernels; cuda or cuda:N, libtorch on a GPU; torch:cpu, libtorch without one";

    /// <param name="threads">Threads that compute on a CPU; 0 leaves the choice to the back end.</param>
    /// <param name="tf32">Whether a GPU may round factors to TensorFloat-32, whose mantissa has 10 bits.</param>
    /// <exception cref="DeviceException">There is no such device, or not in this build; says what to do.</exception>
    public static ITrainingBackend Open(string device, int threads = 0, bool tf32 = false)
    {
        if (device == Auto)
        {
            var gpus = 0;
            CountGpus(ref gpus);
            device = gpus > 0 ? Cuda : Cpu;
        }
        if (device == Cpu) return new CpuBackend(threads);
        int? gpu = device == TorchCpu ? null : Gpu(device);
        ITrainingBackend? backend = null;
        OpenTorch(gpu, threads, tf32, ref backend);
        return backend ?? throw new DeviceException(
            $"--device {device}: this build has no libtorch. The training container has it, and any build with -p:Profile=cloud, which needs the package TorchSharp; this one trains with --device cpu.");
    }

    static int Gpu(string device)
    {
        if (device == Cuda) return 0;
        return device.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(device.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? index
            : throw new DeviceException($"--device {device}: there is no such kind of device; there are {Kinds}.");
    }

    static partial void CountGpus(ref int count);

    static partial void OpenTorch(int? gpu, int threads, bool tf32, ref ITrainingBackend? backend);
}

/// <summary>A device that is not there; the message says why and what to do.</summary>
public sealed class DeviceException(string message) : Exception(message);
