using System.IO.Compression;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Reads entries of archives, one after another; those that lie side by side come in few requests.</summary>
sealed class ArchiveReader(IBlobStore store) : IAsyncDisposable
{
    (string Archive, string? ETag)? opened;
    Stream? content;
    ZipArchive? zip;

    /// <exception cref="RequestException">Its archive is gone or has changed, or its content is not as long as the archive's list
    /// says.</exception>
    /// <exception cref="StorageException">The storage does not answer.</exception>
    public async Task<byte[]> ReadAsync(ArchivePlace place, CancellationToken cancellation)
    {
        var bytes = new byte[place.Length];
        try
        {
            if (opened != (place.Archive, place.ETag))
                await OpenAsync(place, cancellation);
            if (zip is null)
            {
                content!.Position = place.At;
                await content.ReadExactlyAsync(bytes, cancellation);
                return bytes;
            }
            await using var entry = await zip.Entries[(int)place.At].OpenAsync(cancellation);
            await entry.ReadExactlyAsync(bytes, cancellation);
            return await entry.ReadAsync(new byte[1], cancellation) == 0
                ? bytes
                : throw RequestException.Invalid("Its content is longer than the archive's list says; pack it again.");
        }
        catch (Exception fault) when (fault is InvalidDataException or EndOfStreamException or ArgumentException)
        {
            throw RequestException.Invalid($"It is damaged in the archive: {fault.Message} Pack it again.", fault);
        }
    }

    async Task OpenAsync(ArchivePlace place, CancellationToken cancellation)
    {
        await CloseAsync();
        var isZip = ArchiveNames.IsZip(place.Archive);
        try
        {
            content = await store.TryOpenAsync(place.Archive, new(isZip ? 0 : place.At, place.ETag), cancellation)
                ?? throw RequestException.Invalid("Its archive was deleted before it could be read.");
        }
        catch (BlobConflictException fault)
        {
            throw RequestException.Invalid("Its archive has changed since the job listed it; begin another job.", fault);
        }
        if (isZip)
            zip = await ArchiveEntries.OpenZipAsync(content, cancellation);
        opened = (place.Archive, place.ETag);
    }

    async Task CloseAsync()
    {
        opened = null;
        if (zip is not null)
            await zip.DisposeAsync();
        if (content is not null)
            await content.DisposeAsync();
        (zip, content) = (null, null);
    }

    public async ValueTask DisposeAsync() => await CloseAsync();
}
