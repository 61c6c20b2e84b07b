using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Jobs in blob storage, so that any number of function processes can work on one.</summary>
/// <remarks><code>
/// jobs/{model}/{id}/job.json                    what to do
///                   listing.json                how far the images are listed
///                   slices/000012.json          the images of a slice
///                   done/000012-187-13.jsonl    a slice is worked off, 187 well and 13 not; a line for each failure
///                   cancelled.json, failed.json, finished.json
/// jobs/_inbox/{model}/{name}                    the id of the job for an archive in the inbox
/// jobs/_open/{model}/{id}                       there while the job has work left; empty once the job is known to be there
/// </code>
/// A slice's result lies in its name, so that counting is listing. Of two results of one slice, the first by name counts.
/// No model's name begins with _, so the markers of open jobs are found without listing anything else.</remarks>
public sealed partial class JobStore(IBlobStore store)
{
    const long LargestDocument = 16 << 20;

    const string Markers = "jobs/_open/";

    /// <summary>Slices whose numbers, of six digits, begin with the same four.</summary>
    const int Hundred = 100;

    /// <summary>The failures that the file beside the results holds at most, in bytes; beyond, it says where the others
    /// are.</summary>
    const int LargestFailureFile = 64 << 20;

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public Task CreateAsync(Job job, CancellationToken cancellation) => WriteAsync(job, "job.json", job, cancellation);

    /// <summary>A job, or null where there is none.</summary>
    public async Task<Job?> FindAsync(string model, string id, CancellationToken cancellation) =>
        ModelRegistry.IsModelName(model) && JobId().IsMatch(id)
            ? await ReadAsync<Job>($"jobs/{model}/{id}/job.json", cancellation) : null;

    /// <summary>The ids of a model's jobs, newest first, since each begins with the time.</summary>
    public async Task<IReadOnlyList<string>> IdsAsync(string model, int most, CancellationToken cancellation) =>
        [.. (await store.ListFoldersAsync($"jobs/{model}/", cancellation).ToListAsync(cancellation))
            .OrderDescending(StringComparer.Ordinal).Take(most)];

    public async Task CancelAsync(Job job, CancellationToken cancellation)
    {
        await WriteAsync(job, "cancelled.json", new { at = DateTimeOffset.UtcNow }, cancellation);
        await CloseAsync(job.Model, job.Id, cancellation);
    }

    public async Task FailAsync(Job job, string reason, CancellationToken cancellation)
    {
        if (job.Dropped is { } archive && !await IsOverAsync(job, cancellation))
            await store.WriteAsync($"rejected/{DroppedName(job)}.json", Answers.Document(
                new Rejection(job.Input, job.Input, archive.ETag.Trim('"'), archive.Bytes, reason)), cancellation: cancellation);
        await WriteAsync(job, "failed.json", new JobFailure(job.Input, reason), cancellation);
        await CloseAsync(job.Model, job.Id, cancellation);
    }

    /// <summary>Marks a job as one with work left that is about to be created: what <see cref="OpenAsync"/> calls
    /// starting.</summary>
    public Task MarkStartingAsync(Job job, CancellationToken cancellation) =>
        store.WriteAsync($"{Markers}{job.Model}/{job.Id}", BinaryData.FromString("starting"), cancellation: cancellation);

    /// <summary>Marks a job as one with work left, of which somebody has spoken just now.</summary>
    public Task MarkOpenAsync(Job job, CancellationToken cancellation) =>
        store.WriteAsync($"{Markers}{job.Model}/{job.Id}", BinaryData.Empty, cancellation: cancellation);

    public Task CloseAsync(string model, string id, CancellationToken cancellation) =>
        store.DeleteAsync($"{Markers}{model}/{id}", cancellation);

    /// <summary>The jobs with work left; of one that has just ended, the marker may still be there.</summary>
    public IAsyncEnumerable<OpenJob> OpenAsync(CancellationToken cancellation) =>
        store.ListAsync(Markers, cancellation).Select(blob => (Names: blob.Path[Markers.Length..].Split('/'), Blob: blob))
            .Where(marker => marker.Names.Length == 2).Select(marker =>
                new OpenJob(marker.Names[0], marker.Names[1], marker.Blob.Changed, IsStarting: marker.Blob.Size > 0));

    /// <summary>Whether work on it is of no use any more.</summary>
    public async Task<bool> IsOverAsync(Job job, CancellationToken cancellation) =>
        await ExistsAsync(job, "cancelled.json", cancellation) || await ExistsAsync(job, "failed.json", cancellation);

    /// <summary>Whether it is completed, cancelled or failed.</summary>
    public async Task<bool> HasEndedAsync(Job job, CancellationToken cancellation) =>
        await ExistsAsync(job, "finished.json", cancellation) || await IsOverAsync(job, cancellation);

    /// <summary>Deletes what lies under a prefix.</summary>
    public Task ClearAsync(string prefix, CancellationToken cancellation) => Parallel.ForEachAsync(
        store.ListAsync(prefix, cancellation),
        new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellation },
        async (blob, _) => await store.DeleteAsync(blob.Path, cancellation));

    public async Task<JobListing> ListingAsync(Job job, CancellationToken cancellation) =>
        await ReadAsync<JobListing>(PathOf(job, "listing.json"), cancellation) ?? new(0, 0, false);

    public Task SaveAsync(Job job, JobListing listing, CancellationToken cancellation) =>
        WriteAsync(job, "listing.json", listing, cancellation);

    /// <summary>A slice's images, or null where it has not been cut yet.</summary>
    public Task<JobImage[]?> SliceAsync(Job job, int slice, CancellationToken cancellation) =>
        ReadAsync<JobImage[]>(PathOf(job, $"slices/{slice:000000}.json"), cancellation);

    public Task SaveSliceAsync(Job job, int slice, IReadOnlyList<JobImage> images, CancellationToken cancellation) =>
        WriteAsync(job, $"slices/{slice:000000}.json", images, cancellation);

    public async Task<bool> IsDoneAsync(Job job, int slice, CancellationToken cancellation) =>
        await store.ListAsync(PathOf(job, $"done/{slice:000000}-"), cancellation).AnyAsync(cancellation);

    public async Task SaveDoneAsync(
        Job job, int slice, int done, IReadOnlyCollection<JobFailure> failures, CancellationToken cancellation)
    {
        var lines = string.Concat(failures.Select(failure => JsonSerializer.Serialize(failure, Json) + "\n"));
        await store.WriteAsync(PathOf(job, $"done/{slice:000000}-{done}-{failures.Count}.jsonl"), BinaryData.FromString(lines),
            cancellation: cancellation);
    }

    /// <summary>The slices that are cut but not worked off.</summary>
    public async Task<IReadOnlyList<int>> UndoneAsync(Job job, JobListing listing, CancellationToken cancellation)
    {
        var done = await DoneAsync(job, "", cancellation).Select(result => result.Slice)
            .ToHashSetAsync(cancellationToken: cancellation);
        return [.. Enumerable.Range(0, listing.Slices).Where(slice => !done.Contains(slice))];
    }

    /// <summary>If all slices are worked off, writes the file of failures beside the results; the same again does no
    /// harm.</summary>
    /// <param name="last">The slice that was worked off last. As long as others of its hundred are not, the rest is not looked
    /// at: whoever is the last of them does.</param>
    /// <returns>Whether the job is finished.</returns>
    public async Task<bool> FinishAsync(Job job, int? last, CancellationToken cancellation)
    {
        if (last is { } slice && !await IsHundredDoneAsync(job, slice / Hundred, cancellation))
            return false;
        if (!await ExistsAsync(job, "finished.json", cancellation))
        {
            var listing = await ListingAsync(job, cancellation);
            if (!listing.Finished)
                return false;
            var results = await DoneAsync(job, "", cancellation).ToListAsync(cancellation);
            if (results.Count < listing.Slices)
                return false;
            await SummarizeAsync(job, results, cancellation);
        }
        await CloseAsync(job.Model, job.Id, cancellation);
        return true;
    }

    async Task<bool> IsHundredDoneAsync(Job job, int hundred, CancellationToken cancellation) =>
        await ListingAsync(job, cancellation) is { Finished: true } listing
        && await DoneAsync(job, $"{hundred:0000}", cancellation).CountAsync(cancellation)
            >= Math.Min(Hundred, listing.Slices - hundred * Hundred);

    async Task SummarizeAsync(Job job, List<(int Slice, string Path, int Done, int Failed)> results,
        CancellationToken cancellation)
    {
        var failures = new MemoryStream();
        foreach (var result in results.Where(result => result.Failed > 0))
        {
            if (failures.Length > LargestFailureFile)
            {
                failures.Write(Encoding.UTF8.GetBytes(
                    JsonSerializer.Serialize(new { more = PathOf(job, "done/") }, Json) + "\n"));
                break;
            }
            if (await store.TryReadAsync(result.Path, LargestDocument, cancellation) is { } lines)
                failures.Write(lines.Content.ToMemory().Span);
        }
        await store.WriteAsync(FailuresOf(job), new BinaryData(failures.ToArray()), cancellation: cancellation);
        var (done, failed) = (results.Sum(result => result.Done), results.Sum(result => result.Failed));
        await AnswerAsync(job, done, failed, cancellation);
        await WriteAsync(job, "finished.json", new { at = DateTimeOffset.UtcNow, done, failed }, cancellation);
    }

    /// <summary>The answer for an archive that was dropped, in the place of a rejection that an earlier content had.</summary>
    async Task AnswerAsync(Job job, int done, int failed, CancellationToken cancellation)
    {
        if (job.Dropped is not { } archive || await IsOverAsync(job, cancellation))
            return;
        await store.DeleteAsync($"rejected/{DroppedName(job)}.json", cancellation);
        await store.DeleteAsync($"rejected/{DroppedName(job)}", cancellation);
        var answer = new ArchiveResult(job.Model, job.Input, archive.ETag.Trim('"'), job.Label, job.Id, job.Output,
            done + failed, done, failed, FailuresOf(job));
        await store.WriteAsync($"results/{DroppedName(job)}.json", Answers.Document(answer), cancellation: cancellation);
    }

    /// <summary>Below inbox/.</summary>
    static string DroppedName(Job job) => job.Input["inbox/".Length..];

    public async Task<JobStatus> StatusAsync(Job job, CancellationToken cancellation)
    {
        // Asked first, so that a job that is completed meanwhile is not said to be so with counts from before.
        var finished = await ExistsAsync(job, "finished.json", cancellation);
        var listing = await ListingAsync(job, cancellation);
        long done = 0, failed = 0;
        await foreach (var result in DoneAsync(job, "", cancellation))
            (done, failed) = (done + result.Done, failed + result.Failed);
        var fault = await ReadAsync<JobFailure>(PathOf(job, "failed.json"), cancellation);
        var state = finished ? "completed" : fault is not null ? "failed"
            : await ExistsAsync(job, "cancelled.json", cancellation) ? "cancelled"
            : listing.Finished ? "running" : "listing";
        return new(job.Id, job.Model, state, job.Operation, job.Input is "" ? null : job.Input, job.Output, job.Format, job.Label,
            job.Version, job.Parameters, job.Created, listing.Images, done, failed, listing.Images - done - failed,
            finished ? FailuresOf(job) : null, fault?.Reason);
    }

    /// <param name="digits">Those that the slices' numbers begin with.</param>
    async IAsyncEnumerable<(int Slice, string Path, int Done, int Failed)> DoneAsync(
        Job job, string digits, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var last = -1;
        await foreach (var blob in store.ListAsync(PathOf(job, $"done/{digits}"), cancellation))
        {
            if (Result().Match(blob.Path) is not { Success: true } match || Number(1) == last)
                continue;
            last = Number(1);
            yield return (last, blob.Path, Number(2), Number(3));

            int Number(int group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);
        }
    }

    static string FailuresOf(Job job) => $"{job.Output}failures.jsonl";

    static string PathOf(Job job, string name) => $"jobs/{job.Model}/{job.Id}/{name}";

    async Task<bool> ExistsAsync(Job job, string name, CancellationToken cancellation) =>
        await store.TryReadAsync(PathOf(job, name), LargestDocument, cancellation) is not null;

    async Task<T?> ReadAsync<T>(string path, CancellationToken cancellation) where T : class =>
        await store.TryReadAsync(path, LargestDocument, cancellation) is { } blob
            ? JsonSerializer.Deserialize<T>(blob.Content, Json) : null;

    Task<string> WriteAsync<T>(Job job, string name, T value, CancellationToken cancellation) =>
        store.WriteAsync(PathOf(job, name), BinaryData.FromBytes(JsonSerializer.SerializeToUtf8Bytes(value, Json)),
            cancellation: cancellation);

    [GeneratedRegex("^[0-9a-z-]{1,64}\\z")]
    private static partial Regex JobId();

    [GeneratedRegex("/done/([0-9]{6})-([0-9]+)-([0-9]+)\\.jsonl\\z")]
    private static partial Regex Result();
}

/// <summary>The marker of a job with work left.</summary>
/// <param name="Touched">When it was last marked.</param>
/// <param name="IsStarting">Whether the job may not have been created yet when that was.</param>
public readonly record struct OpenJob(string Model, string Id, DateTimeOffset Touched, bool IsStarting);
