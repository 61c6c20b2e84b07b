namespace VaeFunctions.Sweeps;

/// <summary>A trial that this process has for itself, until it is done or given back.</summary>
public interface ITrialTicket : IAsyncDisposable
{
    /// <summary>Its number, from 1.</summary>
    int Trial { get; }

    /// <summary>Asks to stop when another process has the trial: this one was away for too long.</summary>
    CancellationToken Lost { get; }

    /// <summary>Nobody gets it again.</summary>
    Task DoneAsync();

    /// <summary>Lets another take it at once.</summary>
    Task GiveBackAsync();
}

/// <summary>Where trials wait for a process to take them.</summary>
public interface ITrialQueue
{
    /// <summary>How long after a process died its trial comes back.</summary>
    TimeSpan Patience { get; }

    /// <summary>Whether nothing waits and nobody has anything.</summary>
    Task<bool> IsEmptyAsync(CancellationToken cancellation);

    /// <summary>Puts trials at its end, by their numbers.</summary>
    Task AddAsync(IEnumerable<int> trials, CancellationToken cancellation);

    /// <summary>A trial, or null where none waits.</summary>
    Task<ITrialTicket?> TakeAsync(CancellationToken cancellation);

    /// <summary>Removes it, once the sweep is over.</summary>
    Task DeleteAsync(CancellationToken cancellation);
}

/// <summary>Trials of this process alone, one after the other. Two processes on one folder share nothing: each trains whatever
/// has no result when its turn comes.</summary>
public sealed class LocalTrials : ITrialQueue
{
    readonly Queue<int> waiting = new();

    public TimeSpan Patience => TimeSpan.Zero;

    public Task<bool> IsEmptyAsync(CancellationToken cancellation) => Task.FromResult(waiting.Count == 0);

    public Task AddAsync(IEnumerable<int> trials, CancellationToken cancellation)
    {
        foreach (var trial in trials) waiting.Enqueue(trial);
        return Task.CompletedTask;
    }

    public Task<ITrialTicket?> TakeAsync(CancellationToken cancellation) =>
        Task.FromResult<ITrialTicket?>(waiting.TryDequeue(out var trial) ? new Ticket(trial) : null);

    public Task DeleteAsync(CancellationToken cancellation) => Task.CompletedTask;

    sealed record Ticket(int Trial) : ITrialTicket
    {
        public CancellationToken Lost => CancellationToken.None;

        public Task DoneAsync() => Task.CompletedTask;

        public Task GiveBackAsync() => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
