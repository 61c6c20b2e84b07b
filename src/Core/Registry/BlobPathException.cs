namespace VaeFunctions.Registry;

/// <summary>A path names no blob, or one that would not be safe; the message says why.</summary>
public sealed class BlobPathException(string message) : ExplainedException(message);
