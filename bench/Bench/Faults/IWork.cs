namespace VaeFunctions.Bench.Faults;

/// <summary>Work that people give to the cloud in a round, and what has to be true of it in the end.</summary>
interface IWork
{
    /// <summary>Gives the work; comes to its end whatever fails meanwhile, as people do who try again.</summary>
    Task RunAsync(CancellationToken cancellation);

    /// <summary>What is not as it has to be yet; nothing where all is done, and done right.</summary>
    Task<IReadOnlyList<string>> LackingAsync(CancellationToken cancellation);

    /// <summary>Deletes what the round left, so that no round is slower than the one before.</summary>
    Task ClearAsync(CancellationToken cancellation);
}

static class Stubborn
{
    /// <summary>Does something again and again until it is done.</summary>
    public static async Task DoAsync(Func<Task> action, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await action();
                return;
            }
            catch (Exception fault) when (!cancellation.IsCancellationRequested && IsPassing(fault))
            {
                await Task.Delay(200, cancellation);
            }
        }
    }

    /// <summary>Whether it fails because something is down.</summary>
    static bool IsPassing(Exception fault) =>
        fault is Registry.StorageException and not Registry.BlobConflictException or HttpRequestException or TaskCanceledException
            or IOException or Azure.RequestFailedException;
}
