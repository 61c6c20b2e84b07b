using VaeFunctions.Tensors;

namespace VaeFunctions.Reference;

/// <summary>Values in double precision, row-major.</summary>
public sealed class ReferenceTensor : Tensor
{
    internal ReferenceTensor(ReferenceBackend backend, double[] values, Shape shape) : base(backend, shape) => Values = values;

    public double[] Values { get; }
}
