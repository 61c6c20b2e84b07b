using VaeFunctions.Registry;

namespace VaeFunctions.LocalCloud;

/// <summary>What became of the blobs below a prefix.</summary>
/// <param name="Left">How many files were there already, as they are in the storage.</param>
/// <param name="Skipped">What could not be fetched, each with its reason.</param>
sealed record FetchReport(int Fetched, long Bytes, int Left, IReadOnlyList<string> Skipped)
{
    public int Blobs => Fetched + Left + Skipped.Count;
}

/// <summary>Copies the blobs whose path starts with a prefix into a folder. A file's name is the blob's behind the prefix's last
/// slash.</summary>
/// <remarks>A file appears whole: it is written under a name that begins with <c>.~</c> and renamed. It gets the blob's time, and
/// one of this time and the blob's size is not fetched again.</remarks>
sealed class BlobFetch(IBlobStore store, string prefix, string folder)
{
    const int Parallelism = 16, DiskFull = 28; // ENOSPC

    /// <summary>Storage tells times in seconds: what is younger may be written again with the time that it has.</summary>
    static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    readonly Lock guard = new();
    readonly List<string> skipped = [];
    int fetched, left;
    long bytes;

    /// <param name="progress">Told how many are fetched so far, from any thread.</param>
    /// <exception cref="BlobPathException">No blob's path starts so.</exception>
    /// <exception cref="StorageException">The storage failed; what was fetched before is whole.</exception>
    /// <exception cref="LocalCloudException">The disk is full; what was fetched before is whole.</exception>
    public async Task<FetchReport> RunAsync(Action<int> progress, CancellationToken cancellation)
    {
        await Parallel.ForEachAsync(store.ListAsync(prefix, cancellation),
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellation },
            async (blob, token) =>
            {
                if (blob.Size == 0 && blob.Path.EndsWith('/')) return; // a folder's marker
                var why = BlobStores.IsPath(blob.Path, out var wrong) ? await TryFetchAsync(blob, token) : wrong;
                if (why is not null)
                    lock (guard) skipped.Add(why);
                progress(Volatile.Read(ref fetched));
            });
        return new(fetched, bytes, left, [.. skipped.Order(StringComparer.Ordinal)]);
    }

    /// <summary>Null where the file is as the blob now, else why not.</summary>
    async Task<string?> TryFetchAsync(BlobEntry blob, CancellationToken cancellation)
    {
        var file = Path.Combine(folder, blob.Path[(prefix.LastIndexOf('/') + 1)..]);
        try
        {
            if (IsThere(blob, new FileInfo(file)))
            {
                lock (guard) left++;
                return null;
            }
            await using var content = await store.TryOpenAsync(blob.Path, new(ETag: blob.ETag), cancellation);
            if (content is null) return $"{blob.Path}: it was deleted meanwhile.";
            await WriteAsync(content, blob, file, cancellation);
            lock (guard) (fetched, bytes) = (fetched + 1, bytes + blob.Size);
            return null;
        }
        catch (BlobConflictException)
        {
            return $"{blob.Path}: it was changed meanwhile; fetch again.";
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return (fault.HResult & 0xFFFF) != DiskFull
                ? $"{blob.Path}: the file system refuses its name or place: {fault.Message}"
                : throw new LocalCloudException($"Writing {file}: the disk is full. What was fetched before is whole. Make room, "
                    + "and fetch again: what is there is not fetched twice.");
        }
    }

    static bool IsThere(BlobEntry blob, FileInfo file) =>
        file.Exists && file.Length == blob.Size && file.LastWriteTimeUtc == blob.Changed.UtcDateTime;

    static async Task WriteAsync(Stream content, BlobEntry blob, string file, CancellationToken cancellation)
    {
        var target = Directory.CreateDirectory(Path.GetDirectoryName(file)!).FullName;
        var hidden = Path.Combine(target, $".~{Guid.NewGuid():N}");
        try
        {
            await using (var stream = new FileStream(hidden, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16,
                useAsync: true))
                await content.CopyToAsync(stream, cancellation);
            if (DateTimeOffset.UtcNow - blob.Changed > Settled) File.SetLastWriteTimeUtc(hidden, blob.Changed.UtcDateTime);
            File.Move(hidden, file, overwrite: true);
        }
        finally
        {
            File.Delete(hidden);
        }
    }
}
