using System.Diagnostics;

namespace VaeFunctions.Sweeps;

/// <summary>Works a sweep's trials off, alone or beside other processes that do the same.</summary>
/// <param name="train">Trains a trial, from its checkpoint where it has one; null where it was asked to stop.</param>
/// <param name="log">Takes a line for people.</param>
public sealed class SweepRun(Sweep sweep, SweepState state, ITrialQueue queue, Func<Trial, CancellationToken, Task<TrialResult?>> train, Action<string> log)
{
    /// <summary>How often a trial may take its process down before it is given up.</summary>
    public int MaxTries { get; init; } = 3;

    /// <summary>Takes trials until none is left, and waits a while for those of a process that died. Gives whether every trial has a result;
    /// where one has not, another process is at it.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellation)
    {
        var idle = Stopwatch.StartNew();
        while (true)
        {
            var results = await state.ResultsAsync(cancellation);
            if (results.Count == sweep.Trials.Count) return true;
            if (await queue.IsEmptyAsync(cancellation) && await state.ClaimFillingAsync(queue.Patience, cancellation))
                await queue.AddAsync(sweep.Trials.Select(trial => trial.Number).Where(number => !results.ContainsKey(number)), cancellation);

            await using var ticket = await queue.TakeAsync(cancellation);
            if (ticket is not null)
            {
                await RunAsync(ticket, cancellation);
                idle.Restart();
            }
            else if (idle.Elapsed > queue.Patience * 1.5)
            {
                return false;
            }
            else
            {
                await Task.Delay(queue.Patience / 10, cancellation);
            }
        }
    }

    async Task RunAsync(ITrialTicket ticket, CancellationToken cancellation)
    {
        var trial = sweep.Trials[ticket.Trial - 1];
        if (await state.ResultAsync(trial.Number, cancellation) is null)
        {
            var tries = await state.TriesAsync(trial.Number, cancellation);
            TrialResult? result;
            if (tries >= MaxTries)
            {
                result = new(trial.Number, trial.Overrides, Failure: $"given up: {tries} tries ended without a result or an orderly stop, as when memory runs out");
            }
            else
            {
                log($"trial {trial.Number} of {sweep.Trials.Count}: {trial.Overrides}{(tries > 0 ? $" (try {tries + 1} of {MaxTries})" : "")}");
                await state.WriteTriesAsync(trial.Number, tries + 1, cancellation);
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, ticket.Lost);
                result = await train(trial, stop.Token);
                if (result is null)
                {
                    if (ticket.Lost.IsCancellationRequested) log($"trial {trial.Number} is another process's now");
                    else await state.WriteTriesAsync(trial.Number, tries, CancellationToken.None);
                    await ticket.GiveBackAsync();
                    cancellation.ThrowIfCancellationRequested();
                    return;
                }
            }
            if (result.Failure is { } failure) log($"trial {trial.Number} failed: {failure}");
            await state.KeepAsync(result, CancellationToken.None);
        }
        await ticket.DoneAsync();
    }
}
