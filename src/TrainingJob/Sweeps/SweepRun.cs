using System.Diagnostics;
using VaeFunctions.Data;
using VaeFunctions.Registry;

namespace VaeFunctions.Sweeps;

/// <summary>Works a sweep's trials off, alone or beside other processes that do the same.</summary>
/// <param name="train">Trains a trial, from its checkpoint where it has one; null where it was asked to stop.</param>
/// <param name="log">Takes a line for people.</param>
public sealed class SweepRun(
    Sweep sweep, SweepState state, ITrialQueue queue, Func<Trial, CancellationToken, Task<TrialResult?>> train,
    Action<string> log)
{
    /// <summary>How often a trial may take its process down before it is given up.</summary>
    public int MaxTries { get; init; } = 3;

    /// <summary>Takes trials until none is left, and waits a while for those of a process that died. Gives whether every trial
    /// has a result; where one has not, another process is at it.</summary>
    /// <exception cref="DataException">Two trials were measured on different images.</exception>
    public async Task<bool> RunAsync(CancellationToken cancellation)
    {
        var idle = Stopwatch.StartNew();
        while (true)
        {
            var results = await state.ResultsAsync(cancellation);
            DemandSameImages(results.Values);
            if (results.Count == sweep.Trials.Count) return true;
            if (await queue.IsEmptyAsync(cancellation) && await state.ClaimFillingAsync(queue.Patience, cancellation))
                await queue.AddAsync(sweep.Trials.Select(trial => trial.Number)
                    .Where(number => !results.ContainsKey(number)), cancellation);

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
            var result = tries.Count >= MaxTries ? GivenUp(trial, tries) : await TrainAsync(trial, tries, ticket, cancellation);
            if (result is null) return;
            if (result.Failure is { } failure) log($"trial {trial.Number} failed: {failure}");
            await state.KeepAsync(result, CancellationToken.None);
        }
        await ticket.DoneAsync();
    }

    async Task<TrialResult?> TrainAsync(Trial trial, Tries tries, ITrialTicket ticket, CancellationToken cancellation)
    {
        var begun = tries with { Count = tries.Count + 1 };
        log($"trial {trial.Number} of {sweep.Trials.Count}: {trial.Overrides}"
            + $"{(tries.Count > 0 ? $" (try {begun.Count} of {MaxTries})" : "")}");
        await state.WriteTriesAsync(trial.Number, begun, cancellation);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, ticket.Lost);
        try
        {
            if (await train(trial, stop.Token) is { } result) return result;
        }
        catch (Exception e)
        {
            await NoteAsync(trial, begun with { Error = e.Message });
            throw;
        }
        if (ticket.Lost.IsCancellationRequested) log($"trial {trial.Number} is another process's now");
        else await state.WriteTriesAsync(trial.Number, tries, CancellationToken.None);
        await ticket.GiveBackAsync();
        cancellation.ThrowIfCancellationRequested();
        return null;
    }

    async Task NoteAsync(Trial trial, Tries tries)
    {
        try
        {
            await state.WriteTriesAsync(trial.Number, tries, CancellationToken.None);
        }
        catch (StorageException)
        {
            // The sweep ends with the error itself anyway; only the note of it in the store is missing.
        }
    }

    static TrialResult GivenUp(Trial trial, Tries tries)
    {
        var why = tries.Error is { } error ? $"; it said: {error}" : ", as when memory runs out";
        return new(trial.Number, trial.Overrides, Failure: $"given up: {tries.Count} tries ended without a result or an orderly "
            + $"stop{why}");
    }

    /// <summary>Now, and not when all trainings are paid for.</summary>
    void DemandSameImages(IEnumerable<TrialResult> results)
    {
        var different = results.Where(result => result.TestLoss is not null).DistinctBy(result => result.DataFingerprint);
        if (different.Take(2).ToList() is not [var one, var other])
            return;
        throw new DataException($"Trials {one.Trial} and {other.Trial} were measured on different images, with the fingerprints "
            + $"{one.DataFingerprint} and {other.DataFingerprint}, "
            + "so nothing says which is better. Leave out a setting that changes the split, such as seed; "
            + $"if the images have changed meanwhile, delete checkpoints/{sweep.Name}/ and start again.");
    }
}
