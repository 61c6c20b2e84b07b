namespace VaeFunctions.Serving;

/// <summary>A request's body, refused beyond a limit. Kestrel's own limit would close the connection, which Azure's host, still
/// sending, answers with 500. So Kestrel's is lifted, and what is left unread here Kestrel discards.</summary>
sealed class LimitedBody(Stream body, long limit) : Stream
{
    long read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <exception cref="RequestException">413: the body says that it goes beyond the limit. One that does not say so is refused
    /// where it does.</exception>
    public static void Limit(HttpRequest request, long limit)
    {
        Check(request.ContentLength, limit);
        request.Body = new LimitedBody(request.Body, limit);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellation = default)
    {
        var count = await body.ReadAsync(buffer, cancellation);
        Check(read += count, limit);
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellation) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellation).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    static void Check(long? length, long limit)
    {
        if (length > limit)
            throw new RequestException(StatusCodes.Status413PayloadTooLarge,
                $"The body has more than {limit} bytes, the most that a request may have here; send fewer or smaller images at a "
                    + "time.");
    }
}
