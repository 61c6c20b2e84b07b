using System.Security.Cryptography;
using Azure.Storage.Blobs;

namespace VaeFunctions.Registry;

/// <summary>Reads whole blobs of a storage account. One that comes otherwise than the MD5 that the storage keeps of it says is
/// read again: half a body may come with a length that agrees.</summary>
public static class BlobDownload
{
    const int Tries = 3;

    /// <param name="tooLarge">The error for a blob of more than <paramref name="maxBytes"/>, by its size; none of that is
    /// fetched.</param>
    /// <exception cref="StorageException">It comes otherwise every time.</exception>
    public static async Task<Blob> ReadAsync(
        BlobClient blob, long maxBytes, Func<long, Exception> tooLarge, CancellationToken cancellation = default)
    {
        for (var tries = 1; tries <= Tries; tries++)
        {
            // The answer's headers come before its body.
            var answer = await blob.DownloadStreamingAsync(cancellationToken: cancellation);
            using var download = answer.Value;
            var size = download.Details.ContentLength;
            if (size > Math.Min(maxBytes, Array.MaxLength)) throw tooLarge(size);
            var content = new byte[size];
            await download.Content.ReadExactlyAsync(content, cancellation);
            if (download.Details.ContentHash is not { Length: MD5.HashSizeInBytes } known || HashOf(content).SequenceEqual(known))
                return new(new BinaryData(content), download.Details.ETag.ToString("H"))
                {
                    Age = AgeOf(download.Details.LastModified, answer.GetRawResponse().Headers.Date),
                };
        }
        throw new StorageException($"Reading {blob.BlobContainerName}/{blob.Name}: {Tries} times it came with other content than "
            + "the MD5 that the storage keeps of it says. Try again later; where that does not help, write it anew.")
        { ExitCode = 1 };
    }

    /// <summary>Both times are told in whole seconds.</summary>
    static TimeSpan AgeOf(DateTimeOffset written, DateTimeOffset? now) =>
        now - written - TimeSpan.FromSeconds(1) is { Ticks: > 0 } age ? age : TimeSpan.Zero;

    /// <summary>What the storage keeps beside a blob.</summary>
#pragma warning disable CA5351 // blob storage knows no other checksum; it finds damage, not malice
    internal static byte[] HashOf(ReadOnlySpan<byte> content) => MD5.HashData(content);
#pragma warning restore CA5351
}
