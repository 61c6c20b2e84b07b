using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace VaeFunctions.Registry;

/// <summary>A folder laid out as the blobs are. Processes on one machine may share it; files put there by hand are blobs
/// too.</summary>
/// <remarks>A write goes to a hidden file beside its target, is flushed to disk and renamed. Conditions are checked under a
/// lock file. What a killed writer left behind is removed by a listing that finds it an hour old. An ETag is the file's time and
/// size; a write always moves that time forward, so that no ETag comes twice.</remarks>
public sealed class FolderBlobStore(string root) : IBlobStore
{
    static readonly TimeSpan LongestWrite = TimeSpan.FromHours(1);

    readonly string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    public string Location => root;

    /// <summary>How long a lock that another process holds is waited for.</summary>
    internal TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(30);

    public async Task<Blob?> TryReadAsync(string path, long maxBytes, CancellationToken cancellation = default)
    {
        var file = FileOf(BlobPath.Parse(path));
        try
        {
            if (Directory.Exists(file)) return null;
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete,
                bufferSize: 0, useAsync: true);
            if (stream.Length > Math.Min(maxBytes, Array.MaxLength)) throw TooLarge(path, stream.Length, maxBytes, Location);
            // The open handle stays with these bytes whatever is renamed over the name meanwhile.
            var etag = ETagOf(File.GetLastWriteTimeUtc(stream.SafeFileHandle), stream.Length);
            var content = new byte[stream.Length];
            await stream.ReadExactlyAsync(content, cancellation);
            return new Blob(new BinaryData(content), etag);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed("Reading", path, e);
        }
    }

    public Task<Stream?> TryOpenAsync(string path, Opening opening = default, CancellationToken cancellation = default)
    {
        var file = FileOf(BlobPath.Parse(path));
        try
        {
            if (Directory.Exists(file)) return Task.FromResult<Stream?>(null);
            // The open handle stays with these bytes whatever is renamed over the name meanwhile.
            var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16,
                useAsync: true);
            if (opening.ETag is { } etag && ETagOf(File.GetLastWriteTimeUtc(stream.SafeFileHandle), stream.Length) != etag)
            {
                stream.Dispose();
                throw new BlobConflictException($"{path} at {Location} has changed since it was listed.");
            }
            stream.Position = opening.At;
            return Task.FromResult<Stream?>(stream);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Task.FromResult<Stream?>(null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed("Reading", path, e);
        }
    }

    public async Task<string> WriteAsync(
        string path, BinaryData content, WriteCondition condition = default, CancellationToken cancellation = default)
    {
        var file = FileOf(BlobPath.Parse(path));
        var folder = Path.GetDirectoryName(file)!;
        var hidden = Path.Combine(folder, $"{BlobPath.Reserved}{Guid.NewGuid():N}");
        try
        {
            Directory.CreateDirectory(folder);
            try
            {
                using (var stream = new FileStream(hidden, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0,
                    useAsync: true))
                {
                    await stream.WriteAsync(content.ToMemory(), cancellation);
                    stream.Flush(flushToDisk: true);
                }
                using var held = await LockAsync(path, cancellation);
                var old = new FileInfo(file);
                Check(condition, path, old);
                Stamp(hidden, old);
                var etag = ETagOf(new FileInfo(hidden));
                File.Move(hidden, file, overwrite: true);
                return etag;
            }
            finally
            {
                File.Delete(hidden);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed("Writing", path, e);
        }
    }

    public IAsyncEnumerable<BlobEntry> ListAsync(string prefix, CancellationToken cancellation = default)
    {
        var (container, name) = BlobPath.ParsePrefix(prefix);
        var folder = name[..(name.LastIndexOf('/') + 1)]; // everything that matches lies below the prefix's last whole segment
        return Walk($"{container}/{folder}", prefix)
            .Select(file => new BlobEntry(file.Path, file.Info.Length, ETagOf(file.Info), file.Info.LastWriteTimeUtc))
            .ToAsyncEnumerable();
    }

    public IAsyncEnumerable<string> ListFoldersAsync(string prefix, CancellationToken cancellation = default)
    {
        BlobPath.ParseFolder(prefix);
        return Entries(prefix)
            // as in Azure, an empty folder is none
            .Where(entry => entry.Info is DirectoryInfo && Walk(entry.Path, entry.Path).Any())
            .Select(entry => entry.Info.Name)
            .ToAsyncEnumerable();
    }

    public async Task DeleteAsync(string path, CancellationToken cancellation = default)
    {
        var file = FileOf(BlobPath.Parse(path));
        try
        {
            if (!File.Exists(file)) return;
            using var held = await LockAsync(path, cancellation);
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed("Deleting", path, e);
        }
    }

    internal static BlobTooLargeException TooLarge(string path, long size, long limit, string location) =>
        new($"Reading {path} at {location}: it has {size} bytes, above the limit of {Math.Min(limit, Array.MaxLength)}.");

    string FileOf(BlobPath path) => Path.Combine([root, path.Container, .. path.Name.Split('/')]);

    /// <summary>The files below a folder, given with its slash, whose path has the prefix; ordinal order.</summary>
    IEnumerable<(string Path, FileInfo Info)> Walk(string folder, string prefix)
    {
        foreach (var (path, info) in Entries(folder))
        {
            if (info is FileInfo file)
            {
                if (path.StartsWith(prefix, StringComparison.Ordinal)) yield return (path, file);
            }
            else if (path.StartsWith(prefix, StringComparison.Ordinal) || prefix.StartsWith(path, StringComparison.Ordinal))
            {
                foreach (var below in Walk(path, prefix)) yield return below;
            }
        }
    }

    /// <summary>A folder's own entries. Folders sort with their slash: that is where their files stand among all paths.</summary>
    (string Path, FileSystemInfo Info)[] Entries(string folder)
    {
        try
        {
            var all = new DirectoryInfo(Path.Combine(root, folder)).GetFileSystemInfos();
            foreach (var left in all.Where(IsLeftBehind)) TryDelete(left);
            return [.. all.Where(info => !info.Name.StartsWith(BlobPath.Reserved, StringComparison.Ordinal))
                .Select(info => (Path: folder + info.Name + (info is DirectoryInfo ? "/" : ""), info))
                .OrderBy(entry => entry.Path, StringComparer.Ordinal)];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed("Listing", folder, e);
        }
    }

    static bool IsLeftBehind(FileSystemInfo info) => info is FileInfo && info.LastWriteTimeUtc < DateTime.UtcNow - LongestWrite
        && info.Name.StartsWith(BlobPath.Reserved, StringComparison.Ordinal)
            && Guid.TryParseExact(info.Name[BlobPath.Reserved.Length..], "N", out _);

    static void TryDelete(FileSystemInfo info)
    {
        try
        {
            info.Delete();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A reader without the right to write; nothing depends on it.
        }
    }

    void Check(WriteCondition condition, string path, FileInfo found)
    {
        if (condition.MustBeAbsent && found.Exists)
            throw new BlobConflictException($"{path} at {Location} exists already; nothing was written.");
        if (condition.ETag is { } expected && (!found.Exists || ETagOf(found) != expected))
            throw new BlobConflictException(
                $"{path} at {Location} has {(found.Exists ? "changed" : "gone")} since it was read; nothing was written.");
    }

    /// <summary>Gives a file about to replace another a later time, also where two writes fall into one tick of the
    /// clock.</summary>
    static void Stamp(string file, FileInfo replaced)
    {
        var now = DateTime.UtcNow;
        File.SetLastWriteTimeUtc(
            file, replaced.Exists && replaced.LastWriteTimeUtc >= now ? replaced.LastWriteTimeUtc.AddTicks(1) : now);
    }

    static string ETagOf(FileInfo file) => ETagOf(file.LastWriteTimeUtc, file.Length);

    static string ETagOf(DateTime written, long length) => $"{written.Ticks:x}-{length:x}";

    /// <summary>One of 256 lock files, the same for a path in every process.</summary>
    async Task<FileStream> LockAsync(string path, CancellationToken cancellation)
    {
        var folder = Directory.CreateDirectory(Path.Combine(root, BlobPath.Reserved + "locks")).FullName;
        var file = Path.Combine(folder, SHA256.HashData(Encoding.UTF8.GetBytes(path))[0].ToString("x2"));
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException e) when (IsHeldByAnother(e))
            {
                if (clock.Elapsed > LockTimeout)
                    throw new StorageException($"Writing {path} at {Location}: another process has held the lock {file} for "
                        + $"{clock.Elapsed.TotalSeconds:0} seconds. Let that process end, or end it, and try again.", e)
                    { ExitCode = 1 };
                await Task.Delay(Random.Shared.Next(1, 10), cancellation);
            }
        }
    }

    const int DiskFull = 28; // ENOSPC

    // EAGAIN on Linux, EAGAIN on macOS, ERROR_SHARING_VIOLATION on Windows.
    static bool IsHeldByAnother(IOException e) => (e.HResult & 0xFFFF) is 11 or 35 or 32;

    StorageException Failed(string doing, string path, Exception e) =>
        new($"{doing} {path} at {Location}: {e.Message} Check the folder's permissions and the free space of its disk.", e)
        {
            ExitCode = e.HResult == DiskFull ? 1 : 2,
        };
}
