using System.Formats.Tar;
using System.IO.Compression;
using VaeFunctions.Imaging;

namespace VaeFunctions.Data;

/// <summary>A ZIP or TAR file, also a compressed one, read as the folder that it was made of.</summary>
/// <remarks>Nothing is unpacked by the names inside, so that they cannot lead anywhere.</remarks>
static class ArchiveSource
{
    /// <summary>How many times larger than its file the content of a compressed TAR may be: images do not shrink much.</summary>
    const int MostExpansion = 200;

    /// <exception cref="DataException">It is damaged.</exception>
    public static FoundFiles Find(string source, FileInfo archive, DataOptions options, CancellationToken cancellation)
    {
        var found = new FoundFiles(archive.FullName);
        try
        {
            if (ArchiveNames.IsZip(archive.Name)) ReadZip(found, archive, options);
            else ReadTar(found, archive, options, cancellation);
        }
        catch (Exception fault) when (fault is InvalidDataException or EndOfStreamException)
        {
            throw new DataException($"{source}: the archive is damaged: {fault.Message} Fetch or pack it again.", fault);
        }
        return WithoutRoot(source, found, options);
    }

    static void ReadZip(FoundFiles found, FileInfo archive, DataOptions options)
    {
        // Open as long as the images may be read, which is until the process ends.
        var zip = new ZipArchive(archive.OpenRead(), ZipArchiveMode.Read);
        var oneAtATime = new Lock();
        foreach (var entry in zip.Entries.Where(entry => entry.Name.Length > 0))
            Add(found, entry.FullName, $"{entry.Length} {entry.Crc32:x8}", archive, () => Read(entry), options);

        byte[] Read(ZipArchiveEntry entry)
        {
            CheckLength(entry.Length, options.Limits);
            lock (oneAtATime)
            {
                using var content = entry.Open();
                return ReadAll(content, (int)entry.Length);
            }
        }
    }

    static void ReadTar(FoundFiles found, FileInfo archive, DataOptions options, CancellationToken cancellation)
    {
        var isPlain = ArchiveNames.IsTar(archive.Name);
        var file = isPlain ? archive.OpenRead() : Expanded(archive, cancellation);
        using var tar = new TarReader(file, leaveOpen: true);
        var handle = file.SafeFileHandle;
        while (tar.GetNextEntry() is { } entry)
        {
            cancellation.ThrowIfCancellationRequested();
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile) || entry.DataStream is null)
                continue;
            var (start, length) = (entry.DataOffset, entry.Length);
            Add(found, entry.Name, $"{length} {entry.ModificationTime.UtcTicks}", archive, () => ReadAt(start, length), options);
        }

        byte[] ReadAt(long start, long length)
        {
            CheckLength(length, options.Limits);
            var content = new byte[length];
            for (var read = 0; read < length;)
            {
                var more = RandomAccess.Read(handle, content.AsSpan(read), start + read);
                read += more > 0 ? more : throw new IOException("The archive ends too early.");
            }
            return content;
        }
    }

    /// <summary>A compressed TAR cannot be read from the middle, so it lies expanded in the temporary folder until the process
    /// ends.</summary>
    static FileStream Expanded(FileInfo archive, CancellationToken cancellation)
    {
        var expanded = new FileStream(Path.GetTempFileName(), FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16,
            FileOptions.DeleteOnClose);
        using var content = new GZipStream(archive.OpenRead(), CompressionMode.Decompress);
        var buffer = new byte[1 << 20];
        for (int read; (read = content.Read(buffer)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            expanded.Write(buffer, 0, read);
            if (expanded.Length > MostExpansion * Math.Max(archive.Length, 1 << 20))
                throw new InvalidDataException($"Its content is more than {MostExpansion} times as large as the file.");
        }
        expanded.Flush();
        expanded.Position = 0;
        return expanded;
    }

    static void Add(FoundFiles found, string name, string version, FileInfo archive, Func<byte[]> read, DataOptions options)
    {
        var path = string.Join('/', name.Replace('\\', '/').Split('/').Where(part => part is not ("" or "." or "..")));
        if (path.Length == 0 || SystemLitter.Holds(path)) return;
        if (AttributeTable.IsName(path[(path.LastIndexOf('/') + 1)..]))
            found.Attributes ??= FolderSource.Text(read());
        else if (ImageFormats.IsImageName(path))
            found.Images.Add(new(path, $"{version} {archive.Length}", archive.LastWriteTimeUtc, _ => Task.FromResult(read())));
        else
            found.Others.Add(path);
    }

    static void CheckLength(long length, ImageLimits limits)
    {
        if (length > limits.MaxBytes)
            throw new ImageFormatException(
                $"The file has {length:N0} bytes; at most {limits.MaxBytes:N0} are accepted. Make it smaller.");
    }

    static byte[] ReadAll(Stream content, int length)
    {
        var bytes = new byte[length];
        try
        {
            content.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception fault) when (fault is InvalidDataException or EndOfStreamException)
        {
            throw new ImageFormatException($"It is damaged in the archive: {fault.Message}", fault);
        }
    }

    /// <summary>Most archives hold one folder with everything in it, which is no label.</summary>
    static FoundFiles WithoutRoot(string source, FoundFiles found, DataOptions options)
    {
        while (found.Images is [var first, ..] && first.Path.IndexOf('/') is > 0 and var slash
            && first.Path[..(slash + 1)] is var root && SplitNames.PartOf(root[..^1]) is null
            && found.Images.TrueForAll(file => file.Path.StartsWith(root, StringComparison.Ordinal)))
        {
            options.Log?.Invoke($"{source}: all images lie in {root}, which is taken for the whole and not for a label");
            found = found with { Images = found.Images.ConvertAll(file => file.From(root.Length)) };
        }
        return found;
    }
}
