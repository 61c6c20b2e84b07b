using System.Buffers.Binary;
using VaeFunctions.Imaging;

namespace VaeFunctions.Tests;

/// <summary>Images to send: good, odd and hostile.</summary>
static class Pictures
{
    /// <summary>20×12 pixels, a gradient.</summary>
    public static readonly byte[] Jpeg = Convert.FromBase64String(
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4O" +
        "DhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAARCAAMABQDASIAAhEBAxEB/8QAHwAAAQUBAQEB" +
        "AQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3" +
        "ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo" +
        "6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMz" +
        "UvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6" +
        "wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwDmoNK6fLWlBpXT5a34LaL+7WlBbRcfLVVcdI4svzGehzqaV8v3aK7FLaLb92iu" +
        "J46R9PHMZ2P/2Q==");

    /// <summary>The same as WebP.</summary>
    public static readonly byte[] WebP = Convert.FromBase64String(
        "UklGRmwAAABXRUJQVlA4IGAAAACwAwCdASoUAAwAPrVOoUmnJKOhMAgA4BaJbACdL14UAAwKL71sgAD+8udL2fBQin8XSa1px+KTlHT2+eKmrayDaX8SGkgfisz7yWjKbCNJDzqO1LttsdYatsDjIXxRAAA=");

    /// <summary>8×8 RGB of four bands of grey, which the tiny model gives back unchanged.</summary>
    public static byte[] Bands(params byte[] greys) => ImageCodec.EncodePng(new Image(TinyModel.Shape,
        [.. Enumerable.Range(0, TinyModel.Shape.Size).Select(i => greys[i / (TinyModel.Shape.Size / 4)])]));

    public static byte[] Grey(int width, int height) =>
        ImageCodec.EncodePng(new Image(width, height, 1, new byte[width * height]));

    /// <summary>A PNG whose header promises a size that nobody could hold, and nothing else.</summary>
    public static byte[] Huge(int width, int height)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2); // 8-bit RGB
        return [0x89, .. "PNG\r\n\u001a\n"u8, .. Chunk("IHDR"u8, header), .. Chunk("IDAT"u8, [0]), .. Chunk("IEND"u8, [])];
    }

    static byte[] Chunk(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        byte[] chunk = [0, 0, 0, 0, .. type, .. data, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), Crc32(chunk.AsSpan(4, 4 + data.Length)));
        return chunk;
    }

    static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = ~0u;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0xEDB88320 & (0u - (crc & 1)));
        }
        return ~crc;
    }
}
