namespace VaeFunctions.Registry;

/// <summary>The registry cannot do what was asked; the message says what it found and how to go on.</summary>
public class RegistryException(string message, Exception? inner = null) : ExplainedException(message, inner);

/// <summary>No such model or version; the message says which exist.</summary>
public sealed class ModelNotFoundException(string message) : RegistryException(message);

/// <summary>Another publication has taken the name of a version.</summary>
public sealed class VersionTakenException(string message, Exception inner) : RegistryException(message, inner);

/// <summary>Another promotion or rollback came first, so that the decision is to be made anew.</summary>
public sealed class PointerMovedException : RegistryException
{
    public PointerMovedException(string message, Exception inner)
        : base(message, inner) => ExitCode = 1;
}

/// <summary>A published file, a manifest or the pointer is damaged or of another format; the message names it.</summary>
public sealed class ModelFormatException(string message, Exception? inner = null) : RegistryException(message, inner);
