using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace VaeFunctions.LocalFunctions;

/// <summary>Remembers which contents of which blobs a function is done with, so that a restart does not do them again.</summary>
/// <remarks>
/// One small blob each in the container azure-webjobs-hosts, where the Azure host keeps its own; its name is a hash of path and
/// ETag, so that listing the names is enough to load them. In memory: 16 bytes for each blob that is still there.
/// </remarks>
sealed class BlobReceipts(BlobServiceClient service, string function)
{
    const string HostContainer = "azure-webjobs-hosts";
    const int MostSwept = 256;

    readonly BlobContainerClient container = service.GetBlobContainerClient(HostContainer);
    readonly HashSet<UInt128> done = [];

    public int Count
    {
        get
        {
            lock (done)
                return done.Count;
        }
    }

    /// <summary>Stands for one content of one blob.</summary>
    public static UInt128 Key(string path, ETag etag)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{path}\n{etag}"));
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    public async Task LoadAsync(CancellationToken cancellation)
    {
        await container.CreateIfNotExistsAsync(cancellationToken: cancellation);
        var prefix = $"receipts/{function}/";
        await foreach (var receipt in container.GetBlobsAsync(prefix: prefix, cancellationToken: cancellation))
        {
            if (UInt128.TryParse(receipt.Name.AsSpan(prefix.Length), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var key))
                Remember(key);
        }
    }

    public bool Contains(UInt128 key)
    {
        lock (done)
            return done.Contains(key);
    }

    public async Task AddAsync(UInt128 key, string path, ETag etag, CancellationToken cancellation)
    {
        var text = new BinaryData($"{path}\n{etag}\n{DateTime.UtcNow:o}\n");
        await container.GetBlobClient(NameOf(key)).UploadAsync(text, overwrite: true, cancellation);
        Remember(key);
    }

    /// <summary>Forgets what a complete listing no longer named, some at a time, so that new blobs do not wait for long.</summary>
    public async Task SweepAsync(HashSet<UInt128> listed, CancellationToken cancellation)
    {
        UInt128[] gone;
        lock (done)
            gone = [.. done.Where(key => !listed.Contains(key)).Take(MostSwept)];
        await Parallel.ForEachAsync(gone, cancellation, async (key, token) =>
        {
            await container.DeleteBlobIfExistsAsync(NameOf(key), cancellationToken: token);
            lock (done)
                done.Remove(key);
        });
    }

    /// <summary>Notes a blob that failed too often. The Azure host sends a message to the queue webjobs-blobtrigger-poison; here
    /// it is a blob of the same content under poison/.</summary>
    public Task AddPoisonAsync(UInt128 key, string blobContainer, string name, ETag etag, Exception fault, CancellationToken cancellation)
    {
        var message = BinaryData.FromObjectAsJson(new
        {
            Type = "BlobTrigger",
            FunctionId = function,
            BlobType = nameof(BlobType.Block),
            ContainerName = blobContainer,
            BlobName = name,
            ETag = etag.ToString(),
            Error = fault.ToString(),
        });
        return container.GetBlobClient($"poison/{function}/{key:x32}.json").UploadAsync(message, overwrite: true, cancellation);
    }

    string NameOf(UInt128 key) => $"receipts/{function}/{key:x32}";

    void Remember(UInt128 key)
    {
        lock (done)
            done.Add(key);
    }
}
