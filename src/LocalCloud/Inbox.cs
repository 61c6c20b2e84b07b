using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.LocalCloud;

/// <summary>What became of the dropped images and archives, by their names in the inbox.</summary>
/// <param name="Archives">What was in those that are done.</param>
sealed record DropReport(IReadOnlyList<string> Done, IReadOnlyDictionary<string, string> Rejected,
    IReadOnlyList<string> Unanswered, IReadOnlyList<DroppedImages> Archives, TimeSpan Elapsed);

/// <summary>The images of an archive that was dropped.</summary>
readonly record struct DroppedImages(string Archive, long Done, long Failed);

/// <summary>How far a drop is, in images.</summary>
readonly record struct DropProgress(int Uploaded, int Answered, int Total);

/// <summary>The inbox of a model: images go in, and each comes out as a result or as a rejection with its reason.</summary>
sealed class Inbox(IBlobStore store, string model)
{
    const int Parallelism = 16;

    /// <summary>Uploads images and waits for an answer to each, as long as one comes within <paramref name="patience"/> of the
    /// last.</summary>
    public async Task<DropReport> DropAsync(
        IReadOnlyList<DropItem> items, TimeSpan patience, Action<DropProgress> progress, CancellationToken cancellation)
    {
        // An image of the same name may have been here before: only an answer written from now on counts.
        var before = await AnswersAsync(cancellation);
        var clock = Stopwatch.StartNew();
        using var oneArchive = new SemaphoreSlim(1); // each is in memory meanwhile
        var (uploaded, failed) = (0, new ConcurrentDictionary<string, string>());
        var upload = Parallel.ForEachAsync(items,
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellation },
            async (item, token) =>
            {
                var isArchive = ArchiveNames.IsArchive(item.File);
                if (isArchive)
                    await oneArchive.WaitAsync(token);
                try
                {
                    if (await ReadAsync(item, failed, token) is not { } bytes)
                        return;
                    await store.WriteAsync($"inbox/{model}/{item.Name}", bytes, cancellation: token);
                    Interlocked.Increment(ref uploaded);
                }
                finally
                {
                    if (isArchive)
                        oneArchive.Release();
                }
            });

        var waiting = items.Select(item => item.Name).ToHashSet();
        var done = new List<string>();
        var rejected = new List<string>();
        var last = before;
        for (var lastNews = clock.Elapsed; waiting.Count > 0 && clock.Elapsed - lastNews < patience;)
        {
            if (upload.IsFaulted)
                await upload;
            var listing = Stopwatch.StartNew();
            var now = await AnswersAsync(cancellation);
            var open = waiting.Count;
            foreach (var name in waiting.ToList())
            {
                if (failed.ContainsKey(name))
                    waiting.Remove(name);
                else if (IsNew($"rejected/{model}/{name}.json"))
                    rejected.Add(name);
                else if (IsNew($"results/{model}/{name}.json")
                    && (ArchiveNames.IsArchive(name) || IsNew($"results/{model}/{name}.png")))
                    done.Add(name);
                else
                    continue;
                waiting.Remove(name);
            }
            // Results of images in archives come before their archive's answer.
            if (waiting.Count < open || !upload.IsCompleted || now.Any(entry => last.GetValueOrDefault(entry.Key) != entry.Value))
                lastNews = clock.Elapsed;
            last = now;
            progress(new DropProgress(uploaded, items.Count - waiting.Count, items.Count));
            if (waiting.Count > 0)
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Clamp(2 * listing.ElapsedMilliseconds, 100, 2000)), cancellation);

            bool IsNew(string path) => now.TryGetValue(path, out var etag) && before.GetValueOrDefault(path) != etag;
        }
        await upload;

        var reasons = new Dictionary<string, string>();
        foreach (var name in rejected)
            reasons[name] = await ReasonAsync(name, cancellation);
        foreach (var (name, why) in failed)
            reasons[name] = why;
        var archives = new List<DroppedImages>();
        foreach (var name in done.Where(ArchiveNames.IsArchive).Order(StringComparer.Ordinal))
            archives.Add(await ImagesAsync(name, cancellation));
        return new DropReport(done, reasons, [.. waiting.Order(StringComparer.Ordinal)], archives, clock.Elapsed);
    }

    /// <summary>A file's content; null where it cannot be read, which is noted and keeps no other from being dropped.</summary>
    static async Task<BinaryData?> ReadAsync(DropItem item, ConcurrentDictionary<string, string> failed, CancellationToken token)
    {
        try
        {
            return BinaryData.FromBytes(await File.ReadAllBytesAsync(item.File, token));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            failed[item.Name] = $"it cannot be read: {fault.Message}";
            return null;
        }
    }

    /// <summary>Copies the answers into a folder: <c>name.png</c> and <c>name.json</c>, those to an archive's images into one of
    /// its name. A rejection takes the place of a result that an earlier drop left there.</summary>
    public async Task FetchAsync(DropReport report, string folder, CancellationToken cancellation)
    {
        foreach (var name in report.Rejected.Keys)
            if (Path.Combine(folder, $"{name}.png") is var stale && File.Exists(stale)) File.Delete(stale);
        var paths = report.Done.SelectMany(name => new[] { $"results/{model}/{name}.png", $"results/{model}/{name}.json" })
            .Concat(report.Rejected.Keys.Select(name => $"rejected/{model}/{name}.json")).ToList();
        foreach (var archive in report.Archives)
            await foreach (var blob in store.ListAsync($"results/{model}/{archive.Archive}/", cancellation))
                paths.Add(blob.Path);
        await Parallel.ForEachAsync(paths,
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellation },
            async (path, token) =>
            {
                if (await store.TryReadAsync(path, DropList.MaxFileBytes, token) is not { } blob)
                    return;
                var file = Path.Combine(folder, string.Join('/', path.Split('/').Skip(2)));
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                await File.WriteAllBytesAsync(file, blob.Content, token);
            });
    }

    async Task<Dictionary<string, string>> AnswersAsync(CancellationToken cancellation)
    {
        var answers = new Dictionary<string, string>();
        foreach (var container in (string[])["results", "rejected"])
        {
            await foreach (var entry in store.ListAsync($"{container}/{model}/", cancellation))
                answers[entry.Path] = entry.ETag;
        }
        return answers;
    }

    async Task<DroppedImages> ImagesAsync(string archive, CancellationToken cancellation)
    {
        if (await store.TryReadAsync($"results/{model}/{archive}.json", 1 << 20, cancellation) is not { } blob)
            return new(archive, 0, 0);
        using var json = JsonDocument.Parse(blob.Content);
        return new(archive, Number("done"), Number("failed"));

        long Number(string name) => json.RootElement.TryGetProperty(name, out var number) ? number.GetInt64() : 0;
    }

    async Task<string> ReasonAsync(string name, CancellationToken cancellation)
    {
        var blob = await store.TryReadAsync($"rejected/{model}/{name}.json", 1 << 20, cancellation);
        if (blob is null)
            return "no reason was written down";
        using var json = JsonDocument.Parse(blob.Content);
        return json.RootElement.TryGetProperty("reason", out var reason) ? reason.ToString() : blob.Content.ToString();
    }
}
