namespace VaeFunctions.LocalCloud;

/// <summary>A command cannot go on; the message says why and what to do, and is all that people see.</summary>
/// <param name="exitCode">2 when the command was given something wrong, 1 when something failed.</param>
sealed class LocalCloudException(string message, int exitCode = 1) : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    public static LocalCloudException WrongInput(string message) => new(message, 2);
}
