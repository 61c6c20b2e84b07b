namespace VaeFunctions.Data;

/// <summary>The data cannot be trained on; the message says what was found, what was expected and how to mend it.</summary>
public sealed class DataException(string message, Exception? inner = null) : ExplainedException(message, inner);
