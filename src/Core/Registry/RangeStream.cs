using System.Net.Http.Headers;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace VaeFunctions.Registry;

/// <summary>The bytes of one version of a blob, a window of them at a time. The answer with the first window says how long the
/// blob is and which version it is of, so that nothing is asked for beforehand.</summary>
sealed class RangeStream : Stream
{
    readonly BlobClient blob;
    readonly byte[] window;
    readonly ETag etag;
    readonly long length;
    long start; // of the window
    int count; // of its bytes

    RangeStream(BlobClient blob, byte[] window, ETag etag, long length) =>
        (this.blob, this.window, this.etag, this.length) = (blob, window, etag, length);

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position { get; set; }

    /// <exception cref="RequestFailedException">404: there is no such blob. 412: it is no more what it is to be.</exception>
    public static async Task<RangeStream> OpenAsync(BlobClient blob, Opening opening, CancellationToken cancellation)
    {
        var conditions = new BlobRequestConditions { IfMatch = opening.ETag is { } etag ? new ETag(etag) : null };
        try
        {
            var window = new byte[Opening.Window];
            using var first = (await blob.DownloadStreamingAsync(
                new BlobDownloadOptions { Range = new(opening.At, window.Length), Conditions = conditions }, cancellation)).Value;
            var length = ContentRangeHeaderValue.TryParse(first.Details.ContentRange, out var range) && range.Length is { } all
                ? all : first.Details.ContentLength;
            return new(blob, window, first.Details.ETag, length)
            {
                Position = opening.At,
                start = opening.At,
                count = await first.Content.ReadAtLeastAsync(window, window.Length, throwOnEndOfStream: false, cancellation),
            };
        }
        catch (RequestFailedException beyond) when (beyond.Status == 416)
        {
            // It ends before that place, as an empty one does everywhere.
            var empty = (await blob.GetPropertiesAsync(conditions, cancellation)).Value;
            return new(blob, new byte[Opening.Window], empty.ETag, empty.ContentLength) { Position = opening.At };
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Position >= length || buffer.IsEmpty)
            return 0;
        if (Position < start || Position >= start + count)
            await FetchAsync(cancellationToken);
        var given = (int)Math.Min(buffer.Length, start + count - Position);
        window.AsMemory((int)(Position - start), given).CopyTo(buffer);
        Position += given;
        return given;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
    {
        SeekOrigin.Current => Position,
        SeekOrigin.End => length,
        _ => 0,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>The last window reaches back from the end: a ZIP's list of entries is read backwards.</summary>
    async Task FetchAsync(CancellationToken cancellation)
    {
        var from = Math.Max(0, Math.Min(Position, length - window.Length));
        count = 0; // nothing, should the request fail
        using var download = (await blob.DownloadStreamingAsync(new BlobDownloadOptions
        {
            Range = new(from, window.Length),
            Conditions = new() { IfMatch = etag },
        }, cancellation)).Value;
        var read = await download.Content.ReadAtLeastAsync(window, window.Length, throwOnEndOfStream: false, cancellation);
        if (from + read <= Position)
            throw new IOException($"Of the bytes from {from} only {read} came.");
        (start, count) = (from, read);
    }
}
