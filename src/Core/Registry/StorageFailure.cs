using Azure;

namespace VaeFunctions.Registry;

/// <summary>What the storage account's clients throw, told to people.</summary>
public static class StorageFailure
{
    /// <summary>Whether the storage failed, and not what was asked of it: everything but a stop that was asked for. Time limits
    /// count, which clients report as cancelled.</summary>
    public static bool Is(Exception e, CancellationToken cancellation) =>
        e is not StorageException && !(e is OperationCanceledException && cancellation.IsCancellationRequested);

    /// <summary>Says what was done to what, why it failed, and a remedy.</summary>
    /// <param name="role">The role that an identity needs for it.</param>
    public static StorageException Of(string what, string role, Exception e)
    {
        while (e is AggregateException { InnerExceptions: [.., var last] }) e = last; // one per try
        var why = (e as RequestFailedException)?.Status switch
        {
            401 or 403 =>
                "the storage refuses the credentials. Check the connection string's key, or that this identity has the role "
                    + $"{role}",
            409 when e is RequestFailedException { ErrorCode: "QueueBeingDeleted" } =>
                "the queue is still being deleted. Try again in a minute",
            429 or 503 => "the storage is too busy. Try again later",
            > 0 => "the storage answered with an error",
            _ => "the storage cannot be reached. Check the address and the network, that the storage (or Azurite) is running, "
                + "and the credentials",
        };
        var detail = (e as RequestFailedException)?.ErrorCode ?? e.Message.Split('\n')[0].TrimEnd('\r', '.');
        return new StorageException($"{what}: {why}. ({detail})", e);
    }
}
