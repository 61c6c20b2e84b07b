using VaeFunctions.Registry;

namespace VaeFunctions.Sweeps;

/// <summary>Publishes the best of a sweep's trials once, however many processes want to and whichever of them dies at
/// it.</summary>
/// <param name="publish">Publishes a trial.</param>
/// <param name="log">Takes a line for people.</param>
public sealed class SweepPublication(SweepState state, Func<TrialResult, CancellationToken, Task> publish, Action<string> log)
{
    /// <summary>How long after a process died at it another may publish.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Publishes, or waits until another process has, or has died. Afterwards the best is published.</summary>
    public async Task RunAsync(TrialResult best, CancellationToken cancellation)
    {
        for (var waiting = false; !await state.ClaimPublicationAsync(best.Trial, Patience, cancellation); waiting = true)
        {
            if (await state.PublicationAsync(cancellation) is { Done: true } other)
            {
                log($"Trial {other.Trial} is published already.");
                return;
            }
            if (!waiting) log("Another process publishes the best just now; this one waits, and does it should that one die.");
            await Task.Delay(Patience / 20, state.Clock, cancellation);
        }
        log($"publishing trial {best.Trial}: {best.Overrides}");
        using var ended = new CancellationTokenSource();
        var holding = HoldAsync(best.Trial, ended.Token);
        var done = false;
        try
        {
            await publish(best, cancellation);
            done = true;
        }
        finally
        {
            await ended.CancelAsync();
            await holding;
            await state.WritePublicationAsync(new(best.Trial, state.Clock.GetUtcNow(), done), CancellationToken.None);
        }
    }

    /// <summary>Renews the claim again and again, so that others see that this process lives. A renewal that the storage does not
    /// take is made up for by the next one.</summary>
    async Task HoldAsync(int trial, CancellationToken ended)
    {
        while (true)
        {
            await Task.Delay(Patience / 4, state.Clock, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ended.IsCancellationRequested) return;
            try
            {
                await state.WritePublicationAsync(new(trial, state.Clock.GetUtcNow() + Patience, Done: false),
                    CancellationToken.None);
            }
            catch (StorageException)
            {
            }
        }
    }
}
