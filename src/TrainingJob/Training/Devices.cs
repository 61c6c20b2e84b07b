using System.Globalization;
using VaeFunctions.Cpu;
using VaeFunctions.Tensors;
using VaeFunctions.Torch;

namespace VaeFunctions.Training;

/// <summary>Where a model is trained: what <c>--device</c> means.</summary>
public static class Devices
{
    public const string Auto = "auto", Cpu = "cpu", TorchCpu = "torch:cpu", Cuda = "cuda";

    /// <summary>What can be asked for, in words.</summary>
    public const string Kinds = "auto, a GPU where this build and machine have one and cpu otherwise; cpu, this project's own "
        + "kernels; cuda or cuda:N, libtorch on a GPU; torch:cpu, libtorch without one";

    /// <param name="threads">Threads that compute on a CPU; 0 leaves the choice to the back end.</param>
    /// <param name="tf32">Whether a GPU may round factors to TensorFloat-32, whose mantissa has 10 bits.</param>
    /// <exception cref="DeviceException">There is no such device, or not in this build; says what to do.</exception>
    public static ITrainingBackend Open(string device, int threads = 0, bool tf32 = false) => device switch
    {
        Auto => TorchDevice.CountGpus() > 0 ? TorchDevice.OpenGpu(0, tf32) : new CpuBackend(threads),
        Cpu => new CpuBackend(threads),
        TorchCpu => TorchDevice.OpenCpu(threads),
        _ => TorchDevice.OpenGpu(Gpu(device), tf32),
    };

    static int Gpu(string device)
    {
        if (device == Cuda) return 0;
        return device.StartsWith("cuda:", StringComparison.Ordinal)
            && int.TryParse(device.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? index
            : throw new DeviceException($"--device {device}: there is no such kind of device; there are {Kinds}.");
    }
}
