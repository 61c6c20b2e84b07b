using System.Collections.Concurrent;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>One blob for the results of a slice.</summary>
abstract class SliceOutput(Job job, int slice, IBlobStore store, string ending) : JobOutput
{
    readonly ConcurrentDictionary<long, SliceRow[]> results = [];

    protected Job Job => job;

    /// <summary>Whether it holds pictures.</summary>
    protected abstract bool TakesPictures { get; }

    string Path => $"{job.Output}{slice:000000}{ending}";

    public override Task AddAsync(JobInput image, JobMade[] results, CancellationToken cancellation)
    {
        this.results[image.Number] = [.. job.NamesOf(image.Image).Zip(results, (name, made) => new SliceRow(name, made.Result,
            TakesPictures && made.Picture is not null ? ImageCodec.EncodePng(made.Picture) : null))];
        return Task.CompletedTask;
    }

    public override async Task CompleteAsync(IReadOnlyList<JobImage> failed, CancellationToken cancellation)
    {
        // One that an earlier job with this output left must not stand for this job's.
        if (results.IsEmpty)
            await store.DeleteAsync(Path, cancellation);
        else
            await store.WriteAsync(Path, await PackAsync([.. results.OrderBy(pair => pair.Key).SelectMany(pair => pair.Value)],
                cancellation), cancellation: cancellation);
    }

    /// <summary>The blob is written whole at the end, so a slice that was given up has none.</summary>
    public override async Task<IReadOnlySet<JobImage>> GiveUpAsync(IReadOnlyList<JobImage> images, CancellationToken cancellation)
    {
        await store.DeleteAsync(Path, cancellation);
        return new HashSet<JobImage>();
    }

    /// <summary>The results, in the order of the slice; at least one.</summary>
    protected abstract Task<BinaryData> PackAsync(IReadOnlyList<SliceRow> rows, CancellationToken cancellation);
}

/// <summary>A result under its name.</summary>
sealed record SliceRow(string Name, JobResult Result, byte[]? Png);
