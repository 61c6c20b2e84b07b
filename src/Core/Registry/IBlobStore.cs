namespace VaeFunctions.Registry;

/// <summary>Named byte sequences with ETags: Azure blob storage, or a folder that stands in for it.</summary>
/// <remarks>A path is <c>container/name</c> with forward slashes, such as <c>models/faces/20260102T030405Z/manifest.json</c>.
/// One that is malformed, or would leave its container, is a <see cref="BlobPathException"/> everywhere.</remarks>
public interface IBlobStore
{
    /// <summary>Where this store is, for people: an account's address or a folder. Never a secret.</summary>
    string Location { get; }

    /// <summary>A blob's content and ETag, or null where there is none.</summary>
    /// <exception cref="StorageException">The storage cannot be reached.</exception>
    /// <exception cref="BlobTooLargeException">The blob is larger than <paramref name="maxBytes"/>.</exception>
    Task<Blob?> TryReadAsync(string path, long maxBytes, CancellationToken cancellation = default);

    /// <summary>A blob to read from any place, a few megabytes at a time, or null where there is none. What comes is of one
    /// version: once the blob is changed, reading fails.</summary>
    /// <exception cref="BlobConflictException">It is no more what it is to be.</exception>
    /// <exception cref="StorageException">The storage cannot be reached; also from reads.</exception>
    Task<Stream?> TryOpenAsync(string path, Opening opening = default, CancellationToken cancellation = default);

    /// <summary>Writes a blob whole and gives back its new ETag; a reader sees the old content or the new, never a
    /// part.</summary>
    /// <exception cref="BlobConflictException">The condition does not hold; nothing was written.</exception>
    Task<string> WriteAsync(
        string path, BinaryData content, WriteCondition condition = default, CancellationToken cancellation = default);

    /// <summary>The blobs whose path starts with <paramref name="prefix"/>, in ordinal order, a page at a time.</summary>
    IAsyncEnumerable<BlobEntry> ListAsync(string prefix, CancellationToken cancellation = default);

    /// <summary>The names of the "folders" directly below a prefix that ends in a slash, without that prefix and the
    /// slash.</summary>
    IAsyncEnumerable<string> ListFoldersAsync(string prefix, CancellationToken cancellation = default);

    /// <summary>Deletes a blob; one that is not there is deleted already.</summary>
    Task DeleteAsync(string path, CancellationToken cancellation = default);
}

/// <summary>A blob's bytes and the ETag of exactly these bytes.</summary>
public sealed record Blob(BinaryData Content, string ETag)
{
    /// <summary>How long ago it was written, by the storage's clock and at least; zero where that is not known.</summary>
    public TimeSpan Age { get; init; }
}

/// <summary>How a blob is opened.</summary>
/// <param name="At">Where reading begins: what is there comes with the request that opens the blob.</param>
/// <param name="ETag">What it is to be; null for anything.</param>
public readonly record struct Opening(long At = 0, string? ETag = null)
{
    /// <summary>Bytes that one request to a storage account brings, and that are held in memory.</summary>
    public const int Window = 4 << 20;
}

/// <summary>A line of a listing.</summary>
/// <param name="Size">In bytes.</param>
/// <param name="Changed">When it was written, by the storage's clock.</param>
public readonly record struct BlobEntry(string Path, long Size, string ETag, DateTimeOffset Changed);

/// <summary>What must hold for a write to happen: by default, anything.</summary>
public readonly record struct WriteCondition
{
    /// <summary>The blob must not exist yet.</summary>
    public static WriteCondition IfAbsent => new() { MustBeAbsent = true };

    /// <summary>The blob must still have this ETag.</summary>
    public static WriteCondition IfUnchanged(string etag) => new() { ETag = etag };

    public bool MustBeAbsent { get; private init; }

    public string? ETag { get; private init; }
}

/// <summary>Storage failed or cannot be reached; the message says where and what to look at.</summary>
public class StorageException(string message, Exception? inner = null) : ExplainedException(message, inner);

/// <summary>A blob has more bytes than the reader wants.</summary>
public sealed class BlobTooLargeException(string message) : StorageException(message);

/// <summary>A conditional write found another state than it asked for.</summary>
public sealed class BlobConflictException(string message, Exception? inner = null) : StorageException(message, inner);
