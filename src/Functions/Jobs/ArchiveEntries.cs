using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>The images in a ZIP or TAR blob, as a job lists them. Names and lengths alone are read, entry by entry; nothing is
/// unpacked by the names inside, so that they cannot lead anywhere.</summary>
static class ArchiveEntries
{
    /// <summary>A ZIP's list of entries is held in memory; beyond this it does not say their number either.</summary>
    const int MostZipEntries = ushort.MaxValue - 1;

    const int LongestPath = 1024;

    /// <summary>The images of an archive, in its order; with what is wrong for those that cannot be taken, and for the archive
    /// itself where it is damaged.</summary>
    /// <param name="maxBytes">The largest image that is accepted.</param>
    public static async IAsyncEnumerable<JobImage> ListAsync(
        IBlobStore store, BlobEntry blob, long maxBytes, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var archive = blob.Path;
        if (ArchiveNames.IsCompressedTar(archive))
        {
            yield return new(archive, Refused: "A compressed TAR cannot be read from the middle; give it as .tar, or as .zip.");
            yield break;
        }
        await using var content = await OpenAsync(store, blob, cancellation);
        if (content is null)
        {
            yield return new(archive, Refused: "It was deleted or changed before it could be read.");
            yield break;
        }
        var names = new HashSet<ulong>();
        await using var entries = (ArchiveNames.IsZip(archive) ? Zip(content, cancellation) : Tar(content, cancellation))
            .GetAsyncEnumerator(cancellation);
        while (true)
        {
            var (isThere, fault) = await NextAsync(entries);
            if (fault is not null)
                yield return new(archive, Refused: $"It is damaged: {fault} What comes before is read. Pack it again.");
            if (!isThere)
                yield break;
            if (ImageOf(blob, entries.Current, names, maxBytes) is { } image)
                yield return image;
        }
    }

    static async Task<Stream?> OpenAsync(IBlobStore store, BlobEntry blob, CancellationToken cancellation)
    {
        try
        {
            // The end of a ZIP, where its list of entries is, comes at once; most lists are shorter than a window.
            var at = ArchiveNames.IsZip(blob.Path) ? Math.Max(0, blob.Size - Opening.Window) : 0;
            var content = await store.TryOpenAsync(blob.Path, new(at, blob.ETag), cancellation);
            content?.Position = 0;
            return content;
        }
        catch (BlobConflictException)
        {
            return null;
        }
    }

    /// <summary>Where an entry's bytes are.</summary>
    /// <param name="At">In a TAR the offset of its content, in a ZIP its number.</param>
    /// <param name="Wrong">Why it cannot be read; null where it can.</param>
    readonly record struct Entry(string Name, long At, long Length, string? Wrong = null);

    static async Task<(bool IsThere, string? Fault)> NextAsync(IAsyncEnumerator<Entry> entries)
    {
        try
        {
            return (await entries.MoveNextAsync(), null);
        }
        catch (Exception fault) when (fault is InvalidDataException or EndOfStreamException or ArgumentException
            or FormatException)
        {
            return (false, fault.Message); // a place beyond the end is an ArgumentException
        }
    }

    static async IAsyncEnumerable<Entry> Tar(Stream content, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var tar = new TarReader(content, leaveOpen: true);
        while (await tar.GetNextEntryAsync(copyData: false, cancellation) is { } entry)
        {
            if (entry.EntryType is TarEntryType.Directory or TarEntryType.DirectoryList)
                continue;
            var isFile = entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile;
            yield return new(entry.Name, entry.DataOffset, entry.Length,
                isFile ? null : $"It is no file but a {entry.EntryType}; pack the file that it stands for.");
        }
    }

    static async IAsyncEnumerable<Entry> Zip(Stream content, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (await CountAsync(content, cancellation) > MostZipEntries)
            throw new InvalidDataException($"It has more than {MostZipEntries:N0} entries, which a ZIP lists all at once; "
                + "a TAR may have any number.");
        await using var zip = await OpenZipAsync(content, cancellation);
        foreach (var (number, entry) in zip.Entries.Index())
        {
            if (entry.Name.Length > 0)
                yield return new(entry.FullName, number, entry.Length,
                    entry.IsEncrypted ? "It is encrypted; pack it without a password." : null);
        }
    }

    public static Task<ZipArchive> OpenZipAsync(Stream content, CancellationToken cancellation) =>
        ZipArchive.CreateAsync(content, ZipArchiveMode.Read, leaveOpen: true, entryNameEncoding: null, cancellation);

    /// <summary>The number of entries by the record at a ZIP's end, before memory is spent on their list.</summary>
    static async Task<int> CountAsync(Stream content, CancellationToken cancellation)
    {
        const int record = 22, longestComment = ushort.MaxValue;
        var end = new byte[Math.Min(content.Length, record + longestComment)];
        content.Position = content.Length - end.Length;
        await content.ReadExactlyAsync(end, cancellation);
        content.Position = 0;
        var at = end.AsSpan().LastIndexOf("PK\x05\x06"u8);
        return at >= 0 && at + record <= end.Length
            ? BitConverter.ToUInt16(end, at + 10)
            : throw new InvalidDataException("It has not the end of a ZIP.");
    }

    /// <summary>An entry as an image of the job; null for what is passed over.</summary>
    static JobImage? ImageOf(BlobEntry archive, Entry entry, HashSet<ulong> names, long maxBytes)
    {
        var name = entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name;
        if (SystemLitter.Holds(name))
            return null;
        var path = $"{archive.Path}/{name}";
        var wrong = entry.Wrong
            ?? (!BlobStores.IsPath(path, out var why) ? $"Its name in the archive cannot be kept: {why}"
            : ArchiveNames.IsArchive(name) ? "It is an archive in an archive; unpack it."
            : entry.Length > maxBytes ? $"It has {entry.Length} bytes; at most {maxBytes} are accepted."
            : null);
        ArchivePlace place = new(archive.Path, entry.At, entry.Length, archive.ETag);
        if (wrong is not null)
            return new(path.Length <= LongestPath ? path : path[..LongestPath] + "…", place, wrong);
        return names.Add(Hash(name))
            ? new(path, place)
            : new($"{path} (again)", place, "An entry before it has the same name, and its result.");
    }

    static ulong Hash(string name) => BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
}
