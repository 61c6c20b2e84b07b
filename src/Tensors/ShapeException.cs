namespace VaeFunctions.Tensors;

/// <summary>Operands of an operation do not fit together. The message names the operation, both shapes and what must
/// hold.</summary>
public sealed class ShapeException(string message) : Exception(message);
