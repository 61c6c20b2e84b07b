using VaeFunctions.Tensors;
using Native = TorchSharp.torch.Tensor;

namespace VaeFunctions.Torch;

/// <summary>A handle of libtorch's, which is released with the scope it was made in.</summary>
sealed class TorchTensor(IBackend backend, Native value, Shape shape) : Tensor(backend, shape)
{
    public Native Value { get; } = value;
}
