namespace VaeFunctions.LocalFunctions;

/// <summary>The host cannot start as it was set up; the message says what to change.</summary>
public sealed class HostSetupException(string message, Exception? inner = null) : Exception(message, inner);
