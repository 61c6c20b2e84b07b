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

/// <summary>More images are asked for at once than are kept waiting for a model.</summary>
public sealed class OverloadedException(int waiting, int most)
    : Exception($"{Plural.Of(waiting, "image waits", "images wait")} for this model already, of at most {most}; try again "
        + "in a moment.");
