using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Data;

/// <summary><c>blob:CONTAINER/PREFIX</c>: image files in blob storage, arranged as in a folder.</summary>
static class BlobSource
{
    /// <summary>Reads under way at a time: they wait for the network, not for a core.</summary>
    const int Readers = 16;

    public static async Task<DataSplit> LoadAsync(
        string source, string place, DataOptions options, CancellationToken cancellation)
    {
        var found = await FindAsync(source, place, options, cancellation);
        try
        {
            var split = await ImageTree.LoadAsync(
                $"{source} in {options.Blobs!.Location}", found, Readers, options, cancellation);
            return split with { Source = source };
        }
        catch (StorageException error)
        {
            throw new DataException($"{source}: {error.Message}", error);
        }
    }

    /// <exception cref="DataException">There is no storage, or it does not answer.</exception>
    public static async Task<FoundFiles> FindAsync(
        string source, string place, DataOptions options, CancellationToken cancellation)
    {
        if (options.Blobs is not { } blobs)
            throw new DataException(
                $"{source}: no blob storage is configured. Name the storage account or its connection, or use folder:PATH.");
        var prefix = place.TrimEnd('/') + "/";
        var found = new FoundFiles($"{blobs.Location}/{prefix}");
        try
        {
            await foreach (var entry in blobs.ListAsync(prefix, cancellation))
            {
                var name = entry.Path[prefix.Length..];
                // A name that ends in / marks a folder.
                if (name.EndsWith('/') && name.Trim('/').Split('/') is [var folder]) found.Folders.Add(folder);
                if (name.Length == 0 || name.EndsWith('/') || SystemLitter.Holds(name)) continue;
                if (ImageFormats.IsImageName(name)) found.Images.Add(Found(name, entry));
                else if (AttributeTable.IsName(name))
                    found.Attributes = FolderSource.Text(
                        await ReadAsync(blobs, entry, new ImageLimits { MaxBytes = AttributeTable.MaxBytes }, cancellation));
                else found.Others.Add(name);
            }
            return found;
        }
        catch (StorageException error)
        {
            throw new DataException($"{source}: {error.Message}", error);
        }

        ImageFile Found(string name, BlobEntry entry) =>
            new(name, $"{entry.Size} {entry.ETag}", default, token => ReadAsync(blobs, entry, options.Limits, token));
    }

    static async Task<byte[]> ReadAsync(
        IBlobStore blobs, BlobEntry entry, ImageLimits limits, CancellationToken cancellation)
    {
        if (entry.Size > limits.MaxBytes)
            throw new ImageFormatException(
                $"The blob has {entry.Size:N0} bytes; at most {limits.MaxBytes:N0} are accepted. Make it smaller.");
        var blob = await blobs.TryReadAsync(entry.Path, limits.MaxBytes, cancellation);
        return blob?.Content.ToArray()
            ?? throw new IOException("The blob was listed but is gone; load again when nothing changes it.");
    }
}
