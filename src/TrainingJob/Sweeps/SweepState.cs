using System.Text.Json;
using System.Text.Json.Serialization;
using VaeFunctions.Registry;

namespace VaeFunctions.Sweeps;

/// <summary>How often a trial was begun and neither ended nor stopped in an orderly way.</summary>
/// <param name="Error">What the last that could say something said.</param>
public sealed record Tries(int Count, string? Error = null);

/// <summary>What came of a trial: a test loss, or why there is none.</summary>
/// <param name="Run">The run whose checkpoint has the weights.</param>
/// <param name="DataFingerprint">Of the images it was measured on.</param>
/// <param name="Seconds">Training time of all epochs.</param>
public sealed record TrialResult(
    int Trial, string Overrides, double? TestLoss = null, string? Failure = null, string? Run = null,
    string? DataFingerprint = null, int Epochs = 0, double Seconds = 0)
{
    /// <summary>Best first; those that failed last.</summary>
    public static IEnumerable<TrialResult> Ranked(IEnumerable<TrialResult> results) =>
        results.OrderBy(result => result.TestLoss ?? double.PositiveInfinity).ThenBy(result => result.Trial);
}

/// <summary>Who publishes the best, until when nobody else may try, and whether it is done.</summary>
public sealed record Publication(int Trial, DateTimeOffset ClaimedUntil, bool Done);

/// <summary>A sweep's state in the store, <c>checkpoints/{model}.sweep-{id}/</c>: a result for every trial that ended, tries that
/// have not, the publication.</summary>
public sealed class SweepState(IBlobStore store, Sweep sweep)
{
    const long MaxBytes = 1 << 20;

    readonly string folder = $"checkpoints/{sweep.Name}/"; // the name is a hash of all recipes

    readonly SortedDictionary<int, TrialResult> known = [];

    /// <summary>What tells how long claims hold.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    };

    /// <summary>A trial's result, or null where it has none yet.</summary>
    public Task<TrialResult?> ResultAsync(int trial, CancellationToken cancellation) =>
        ReadAsync<TrialResult>($"{trial:000}.json", cancellation);

    /// <summary>The results there are, by trial. Each is read once.</summary>
    public async Task<IReadOnlyDictionary<int, TrialResult>> ResultsAsync(CancellationToken cancellation)
    {
        var there = await store.ListAsync(PathOf(""), cancellation).Select(blob => blob.Path)
            .ToHashSetAsync(cancellationToken: cancellation);
        foreach (var number in sweep.Trials.Select(trial => trial.Number)
            .Where(number => !known.ContainsKey(number) && there.Contains(PathOf($"{number:000}.json"))))
        {
            if (await ResultAsync(number, cancellation) is { } result) known[number] = result;
        }
        return known;
    }

    /// <summary>Keeps a trial's result; one that is there already stays.</summary>
    public async Task KeepAsync(TrialResult result, CancellationToken cancellation)
    {
        try
        {
            await WriteAsync($"{result.Trial:000}.json", result, WriteCondition.IfAbsent, cancellation);
        }
        catch (BlobConflictException)
        {
            // The queue may deliver a trial twice; the first result stays.
        }
        await store.DeleteAsync(PathOf($"{result.Trial:000}.tries.json"), cancellation);
    }

    /// <summary>A trial's tries so far.</summary>
    public async Task<Tries> TriesAsync(int trial, CancellationToken cancellation) =>
        await ReadAsync<Tries>($"{trial:000}.tries.json", cancellation) ?? new(0);

    /// <summary>Keeps a trial's tries.</summary>
    public Task WriteTriesAsync(int trial, Tries tries, CancellationToken cancellation) =>
        WriteAsync($"{trial:000}.tries.json", tries, default, cancellation);

    /// <summary>Whether this process is the one to fill the queue: the first that asks, or the first after
    /// <paramref name="patience"/>.</summary>
    public Task<bool> ClaimFillingAsync(TimeSpan patience, CancellationToken cancellation) => ClaimAsync<DateTimeOffset>(
        "filled.json", seen => Clock.GetUtcNow() - seen > patience, Clock.GetUtcNow(), cancellation);

    /// <summary>The publication, or null where none was begun.</summary>
    public Task<Publication?> PublicationAsync(CancellationToken cancellation) =>
        ReadAsync<Publication>("publication.json", cancellation);

    /// <summary>Whether this process is the one to publish; others may try once <paramref name="patience"/> is over.</summary>
    public Task<bool> ClaimPublicationAsync(int best, TimeSpan patience, CancellationToken cancellation) =>
        ClaimAsync<Publication>("publication.json", seen => !seen.Done && seen.ClaimedUntil < Clock.GetUtcNow(),
            new(best, Clock.GetUtcNow() + patience, Done: false), cancellation);

    /// <summary>Says anew how the publication stands; only for whoever has claimed it.</summary>
    public Task WritePublicationAsync(Publication publication, CancellationToken cancellation) =>
        WriteAsync("publication.json", publication, default, cancellation);

    /// <summary>Writes a claim where there is none, or one that gives way; of several at once, one wins.</summary>
    async Task<bool> ClaimAsync<T>(string file, Func<T, bool> givesWay, T claim, CancellationToken cancellation)
    {
        var seen = await store.TryReadAsync(PathOf(file), MaxBytes, cancellation);
        if (seen is not null && !givesWay(Parse<T>(file, seen.Content)!)) return false;
        try
        {
            await WriteAsync(file, claim, seen is null
                ? WriteCondition.IfAbsent
                : WriteCondition.IfUnchanged(seen.ETag), cancellation);
            return true;
        }
        catch (BlobConflictException)
        {
            return false;
        }
    }

    string PathOf(string file) => folder + file;

    async Task<T?> ReadAsync<T>(string file, CancellationToken cancellation) =>
        await store.TryReadAsync(PathOf(file), MaxBytes, cancellation) is { } blob ? Parse<T>(file, blob.Content) : default;

    T? Parse<T>(string file, BinaryData content)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(content, Json);
        }
        catch (JsonException e)
        {
            throw new StorageException($"{PathOf(file)} in {store.Location} cannot be read: {e.Message} Delete it; the sweep "
                + "does that part again.", e);
        }
    }

    Task<string> WriteAsync<T>(string file, T value, WriteCondition condition, CancellationToken cancellation) =>
        store.WriteAsync(PathOf(file), new(JsonSerializer.SerializeToUtf8Bytes(value, Json)), condition, cancellation);
}
