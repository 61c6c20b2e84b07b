using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace VaeFunctions.Registry;

/// <summary>Azure blob storage, or Azurite. The first segment of a path is the container, made when it is first written
/// to.</summary>
/// <remarks>How long storage that is down is waited for is a matter of the client's options; <see cref="BlobStores.Open"/> sets
/// them to seconds.</remarks>
public sealed class AzureBlobStore(BlobServiceClient service) : IBlobStore
{
    const int Part = 8 << 20; // bytes a request, so that a slow line does not run into the time limit of one

    // without a query, where a signature could be
    public string Location { get; } = service.Uri.GetLeftPart(UriPartial.Path).TrimEnd('/');

    public async Task<Blob?> TryReadAsync(string path, long maxBytes, CancellationToken cancellation = default)
    {
        var client = ClientOf(BlobPath.Parse(path));
        try
        {
            return await BlobDownload.ReadAsync(
                client, maxBytes, size => FolderBlobStore.TooLarge(path, size, maxBytes, Location), cancellation);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
        catch (Exception e) when (StorageFailure.Is(e, cancellation))
        {
            throw Failed("Reading", path, e);
        }
    }

    public async Task<Stream?> TryOpenAsync(string path, Opening opening = default, CancellationToken cancellation = default)
    {
        var client = ClientOf(BlobPath.Parse(path));
        try
        {
            return new ExplainedStream(await RangeStream.OpenAsync(client, opening, cancellation),
                fault => Failed("Reading", path, fault));
        }
        catch (RequestFailedException e) when (e.Status == 412)
        {
            throw new BlobConflictException($"{path} at {Location} has changed since it was listed.", e);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
        catch (Exception e) when (StorageFailure.Is(e, cancellation))
        {
            throw Failed("Reading", path, e);
        }
    }

    public async Task<string> WriteAsync(
        string path, BinaryData content, WriteCondition condition = default, CancellationToken cancellation = default)
    {
        var client = ClientOf(BlobPath.Parse(path));
        var options = new BlobUploadOptions
        {
            // The service reckons the MD5 only of what comes in one request.
            HttpHeaders = new BlobHttpHeaders
            {
                ContentType = ContentType(path),
                ContentHash = BlobDownload.HashOf(content.ToMemory().Span),
            },
            TransferOptions = new StorageTransferOptions { InitialTransferSize = Part, MaximumTransferSize = Part },
            Conditions = new BlobRequestConditions
            {
                IfNoneMatch = condition.MustBeAbsent ? ETag.All : null,
                IfMatch = condition.ETag is { } etag ? new ETag(etag) : null,
            },
        };
        try
        {
            try
            {
                return await UploadAsync();
            }
            catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.ContainerNotFound)
            {
                await service.GetBlobContainerClient(client.BlobContainerName)
                    .CreateIfNotExistsAsync(cancellationToken: cancellation);
                return await UploadAsync();
            }
        }
        catch (RequestFailedException e) when (e.Status == 412 || e.ErrorCode == BlobErrorCode.BlobAlreadyExists)
        {
            throw new BlobConflictException(condition.MustBeAbsent
                ? $"{path} at {Location} exists already; nothing was written."
                : $"{path} at {Location} has changed or gone since it was read; nothing was written.", e);
        }
        catch (Exception e) when (StorageFailure.Is(e, cancellation))
        {
            throw Failed("Writing", path, e);
        }

        async Task<string> UploadAsync() => Text((await client.UploadAsync(content, options, cancellation)).Value.ETag);
    }

    public IAsyncEnumerable<BlobEntry> ListAsync(string prefix, CancellationToken cancellation = default)
    {
        var (container, name) = BlobPath.ParsePrefix(prefix);
        var blobs = service.GetBlobContainerClient(container).GetBlobsAsync(BlobTraits.None, BlobStates.None, name, cancellation);
        return Items(blobs, prefix, cancellation)
            .Select(blob => new BlobEntry(
                $"{container}/{blob.Name}", blob.Properties.ContentLength ?? 0, Text(blob.Properties.ETag ?? default),
                blob.Properties.LastModified ?? default));
    }

    public IAsyncEnumerable<string> ListFoldersAsync(string prefix, CancellationToken cancellation = default)
    {
        var (container, name) = BlobPath.ParseFolder(prefix);
        var items = service.GetBlobContainerClient(container)
            .GetBlobsByHierarchyAsync(BlobTraits.None, BlobStates.None, "/", name, cancellation);
        return Items(items, prefix, cancellation).Where(item => item.IsPrefix).Select(item => item.Prefix[name.Length..^1]);
    }

    public async Task DeleteAsync(string path, CancellationToken cancellation = default)
    {
        var client = ClientOf(BlobPath.Parse(path));
        try
        {
            await client.DeleteIfExistsAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: cancellation);
        }
        catch (Exception e) when (StorageFailure.Is(e, cancellation))
        {
            throw Failed("Deleting", path, e);
        }
    }

    static string Text(ETag etag) => etag.ToString("H"); // in quotes always: headers have them, listings do not

    BlobClient ClientOf(BlobPath path) => service.GetBlobContainerClient(path.Container).GetBlobClient(path.Name);

    /// <summary>The items of all pages; none where the container does not exist.</summary>
    async IAsyncEnumerable<T> Items<T>(
        AsyncPageable<T> pages, string prefix, [EnumeratorCancellation] CancellationToken cancellation) where T : notnull
    {
        await using var items = pages.GetAsyncEnumerator(cancellation);
        while (true)
        {
            try
            {
                if (!await items.MoveNextAsync()) yield break;
            }
            catch (RequestFailedException e) when (e.Status == 404)
            {
                yield break;
            }
            catch (Exception e) when (StorageFailure.Is(e, cancellation))
            {
                throw Failed("Listing", prefix, e);
            }
            yield return items.Current;
        }
    }

    StorageException Failed(string doing, string path, Exception e) =>
        StorageFailure.Of($"{doing} {path} at {Location}", "Storage Blob Data Contributor", e);

    // So that a browser shows reports and pictures instead of saving them.
    static string ContentType(string path) => Path.GetExtension(path) switch
    {
        ".json" => "application/json",
        ".html" => "text/html; charset=utf-8",
        ".csv" => "text/csv; charset=utf-8",
        ".png" => "image/png",
        ".jpg" or ".jpeg" => "image/jpeg",
        ".webp" => "image/webp",
        _ => "application/octet-stream",
    };
}
