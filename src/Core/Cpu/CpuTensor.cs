using VaeFunctions.Tensors;

namespace VaeFunctions.Cpu;

/// <summary>Dense row-major floats in main memory.</summary>
sealed class CpuTensor(CpuBackend backend, Buffer buffer, Shape shape) : Tensor(backend, shape)
{
    public Buffer Buffer { get; } = buffer;

    public float[] Values => Buffer.Values;
}
