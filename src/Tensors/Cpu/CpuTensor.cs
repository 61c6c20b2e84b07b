using VaeFunctions.Tensors;
using Buffer = VaeFunctions.Cpu.Kernels.Buffer;

namespace VaeFunctions.Cpu;

/// <summary>Dense row-major floats in main memory.</summary>
sealed class CpuTensor : Tensor
{
    public CpuTensor(CpuBackend backend, Buffer buffer, Shape shape) : base(backend, shape)
    {
        Buffer = buffer;
        buffer.Views++;
    }

    public Buffer Buffer { get; }

    public float[] Values => Buffer.Values;
}
