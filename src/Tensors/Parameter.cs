namespace VaeFunctions.Tensors;

/// <summary>What a parameter is to training.</summary>
public enum ParameterKind
{
    /// <summary>Learned by gradient descent.</summary>
    Weight,

    /// <summary>Gathered during training, such as a running mean; it has no gradient.</summary>
    Statistic,

    /// <summary>A whole number, kept as int64 in files, such as PyTorch's <c>num_batches_tracked</c>.</summary>
    Counter,
}

/// <summary>A named tensor that outlives steps. Its name is its path of scopes, the same in memory, in safetensors and in
/// ONNX.</summary>
public sealed record Parameter(string Name, ParameterKind Kind, Tensor Value)
{
    public Shape Shape => Value.Shape;
}
