namespace VaeFunctions.Serving;

/// <summary>Lets a few pieces of work run at once. The others wait in a bounded queue: what does not fit is refused at once
/// rather than answered late.</summary>
/// <param name="longestQueue">The most rows that may wait.</param>
sealed class Turns(int atOnce, int longestQueue) : IDisposable
{
    readonly SemaphoreSlim free = new(atOnce);
    int waiting;

    /// <summary>Runs work on some rows when its turn has come.</summary>
    /// <param name="work">It looks at the token itself while it runs.</param>
    /// <exception cref="OverloadedException">The queue is full.</exception>
    public async Task<T> RunAsync<T>(int rows, Func<T> work, CancellationToken cancellation)
    {
        // An empty queue takes a request of any size: other limits hold for a single request.
        if (Interlocked.Add(ref waiting, rows) is var length && length > longestQueue && length > rows)
        {
            Interlocked.Add(ref waiting, -rows);
            throw new OverloadedException(length - rows, longestQueue);
        }
        try
        {
            await free.WaitAsync(cancellation);
        }
        finally
        {
            Interlocked.Add(ref waiting, -rows);
        }
        try
        {
            return await Task.Run(work, cancellation);
        }
        finally
        {
            free.Release();
        }
    }

    public void Dispose() => free.Dispose();
}
