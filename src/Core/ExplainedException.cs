namespace VaeFunctions;

/// <summary>An error that its message explains: what was found, what was expected, what to do. A command shows it without a stack
/// and ends with its exit code.</summary>
public abstract class ExplainedException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>2 where the input or the surroundings are to be mended first, 1 where something failed on the way.</summary>
    public int ExitCode { get; init; } = 2;
}
