using System.Runtime.CompilerServices;
using VaeFunctions.Bench.Faults;
using VaeFunctions.Registry;

namespace VaeFunctions.Bench.Scale;

/// <summary>A storage that makes the input's images up, counts results without keeping them, and keeps all other blobs with the
/// time they were written at, so that a run sees what was there by its own clock.</summary>
sealed class SimulatedStore(Conditions conditions) : IBlobStore
{
    public const string Input = "pictures/in/", Output = "results/out/";

    /// <summary>Images that are really different.</summary>
    const int Different = 64;

    readonly byte[][] pictures = [.. Enumerable.Range(0, Different).Select(i => Picture.Of(i).Png())];
    readonly SortedDictionary<string, SortedDictionary<string, List<(double At, BinaryData? Content)>>> folders =
        new(StringComparer.Ordinal);
    readonly Lock gate = new();
    readonly byte[] read = new byte[conditions.Real];
    readonly HashSet<string> results = new(StringComparer.Ordinal);

    public string Location => "a simulated account";

    /// <summary>How often images were read that had been read before.</summary>
    public long ReadAgain { get; private set; }

    public long ResultsAgain { get; private set; }

    public long Results => results.Count;

    public int LargestDocument { get; private set; }

    public bool IsLarge(int image) => image >= conditions.Real * (1 - conditions.Large);

    /// <summary>Images that no try can read, spread over the list.</summary>
    public bool IsPoison(int image) => conditions.Poison > 0 && image % (int)(SliceSize / conditions.Poison) == SliceSize / 2;

    /// <summary>Whether nobody is going to read the slices that are cut.</summary>
    public bool DropsSlices { get; init; }

    /// <summary>Images that are really in a slice.</summary>
    public required int SliceSize { get; init; }

    bool IsBroken(int image) => conditions.Broken > 0 && image % (int)(1 / conditions.Broken) == 7;

    public Task<Blob?> TryReadAsync(string path, long maxBytes, CancellationToken cancellation = default)
    {
        if (path.StartsWith(Input, StringComparison.Ordinal))
            return Task.FromResult<Blob?>(ReadImage(int.Parse(path.AsSpan(Input.Length, 9))));
        var now = Run.Current?.Ask(conditions.Request) ?? double.MaxValue;
        lock (gate)
        {
            var content = Latest(Versions(path), now);
            return Task.FromResult(content is null ? null : new Blob(content, "1"));
        }
    }

    public Task<Stream?> TryOpenAsync(string path, Opening opening = default, CancellationToken cancellation = default) =>
        throw new NotSupportedException();

    public Task<string> WriteAsync(
        string path, BinaryData content, WriteCondition condition = default, CancellationToken cancellation = default)
    {
        if (path.StartsWith(Output, StringComparison.Ordinal))
        {
            if (path.EndsWith(".parquet", StringComparison.Ordinal) || path.EndsWith("failures.jsonl", StringComparison.Ordinal))
                Run.Current?.Ask(conditions.Request);
            else
                Run.Current!.AskForImage(conditions.Request, conditions.Each, 0);
            lock (gate)
            {
                if (!results.Add(path)) ResultsAgain++;
            }
            return Task.FromResult("1");
        }
        var now = Run.Current?.Ask(conditions.Request) ?? 0;
        LargestDocument = Math.Max(LargestDocument, content.ToMemory().Length);
        if (!DropsSlices || !path.Contains("/slices/", StringComparison.Ordinal))
            lock (gate) Versions(path).Add((now, content));
        return Task.FromResult("1");
    }

    public async IAsyncEnumerable<BlobEntry> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var now = Run.Current?.Now ?? double.MaxValue;
        Run.Current?.Ask(conditions.Page);
        var listed = 0L;
        var entries = prefix == Input
            ? Enumerable.Range(0, conditions.Real).Select(image => Entry(PathOf(image), 1)) : Visible(prefix, now);
        foreach (var entry in entries)
        {
            listed += prefix == Input ? conditions.Each : 1;
            if (listed >= conditions.PageSize)
            {
                Run.Current?.Ask(conditions.Page, (int)(listed / conditions.PageSize));
                listed %= conditions.PageSize;
            }
            yield return entry;
        }
        await Task.CompletedTask;
    }

    public async IAsyncEnumerable<string> ListFoldersAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var below = Visible(prefix, double.MaxValue).Select(entry => entry.Path[prefix.Length..].Split('/')[0]);
        foreach (var folder in below.Distinct())
            yield return folder;
        await Task.CompletedTask;
    }

    public Task DeleteAsync(string path, CancellationToken cancellation = default)
    {
        var now = Run.Current?.Ask(conditions.Request) ?? 0;
        lock (gate) Versions(path).Add((now, null));
        return Task.CompletedTask;
    }

    static string PathOf(int image) => $"{Input}{image:000000000}.png";

    Blob ReadImage(int image)
    {
        var weight = IsLarge(image) ? conditions.LargeFactor : 1;
        var time = conditions.Request * (weight > 1 ? 3 : 1); // more bytes take longer, but no more than so
        Run.Current!.AskForImage(time, conditions.Each, conditions.Each * weight * conditions.Computing);
        if (IsPoison(image))
            throw new StorageException($"Reading {PathOf(image)}: the account does not give it.");
        lock (gate)
        {
            if (read[image]++ > 0) ReadAgain++;
        }
        return new(new(IsBroken(image) ? [1, 2, 3] : pictures[image % Different]), "1");
    }

    List<(double At, BinaryData? Content)> Versions(string path)
    {
        var folder = FolderOf(path);
        if (!folders.TryGetValue(folder, out var blobs))
            folders[folder] = blobs = new(StringComparer.Ordinal);
        if (!blobs.TryGetValue(path, out var versions))
            blobs[path] = versions = [];
        return versions;
    }

    static BinaryData? Latest(List<(double At, BinaryData? Content)> versions, double now)
    {
        var latest = (At: double.MinValue, Content: (BinaryData?)null);
        foreach (var version in versions)
        {
            if (version.At <= now && version.At >= latest.At)
                latest = version;
        }
        return latest.Content;
    }

    List<BlobEntry> Visible(string prefix, double now)
    {
        var visible = new List<BlobEntry>();
        lock (gate)
        {
            foreach (var (folder, blobs) in folders)
            {
                if (!folder.StartsWith(prefix, StringComparison.Ordinal) && folder != FolderOf(prefix))
                    continue;
                foreach (var (path, versions) in blobs)
                {
                    if (path.StartsWith(prefix, StringComparison.Ordinal) && Latest(versions, now) is { } content)
                        visible.Add(Entry(path, content.ToMemory().Length));
                }
            }
        }
        return visible;
    }

    static string FolderOf(string path) => path[..(path.LastIndexOf('/') + 1)];

    static BlobEntry Entry(string path, long size) => new(path, size, "1", default);
}
