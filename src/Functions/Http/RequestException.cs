namespace VaeFunctions.Serving;

/// <summary>A request that cannot be answered as it is; the message says what was found, what was expected and how to mend
/// it.</summary>
public sealed class RequestException(int status, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The HTTP status, from 400 to 499.</summary>
    public int Status { get; } = status;

    public static RequestException Invalid(string message, Exception? inner = null) =>
        new(StatusCodes.Status400BadRequest, message, inner);
}

/// <summary>A model that exists but cannot serve now; the message says why.</summary>
public sealed class ModelUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>More is asked for at once than is kept waiting; the message says how much.</summary>
public sealed class OverloadedException(string message) : Exception(message);
