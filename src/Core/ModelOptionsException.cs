namespace VaeFunctions;

/// <summary>A model cannot be built as its options say; the message names the option, what was found and what it must
/// be.</summary>
public sealed class ModelOptionsException(string message) : ExplainedException(message);
