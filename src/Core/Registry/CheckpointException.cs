namespace VaeFunctions.Registry;

/// <summary>A file of tensors is damaged, or does not hold what it should. The message names the tensor, what was found and what
/// was expected.</summary>
public sealed class CheckpointException(string message, Exception? inner = null) : ExplainedException(message, inner);
