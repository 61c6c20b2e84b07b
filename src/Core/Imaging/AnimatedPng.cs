using System.Buffers.Binary;

namespace VaeFunctions.Imaging;

/// <summary>Several images of one size as an animated PNG, which viewers that know no animation show as its first image.</summary>
/// <remarks>https://www.w3.org/TR/png-3/#apng-frame-based-animation</remarks>
public static class AnimatedPng
{
    static ReadOnlySpan<byte> Signature => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <param name="frames">Images of one size; RGB if any of them is.</param>
    /// <param name="milliseconds">How long each is shown, 1 to 65535.</param>
    /// <param name="loops">How often all are shown; 0 for ever.</param>
    /// <exception cref="ArgumentException">There is no frame, or they are not of one size.</exception>
    public static byte[] Encode(IReadOnlyList<Image> frames, int milliseconds, int loops = 0)
    {
        ArgumentNullException.ThrowIfNull(frames);
        ArgumentOutOfRangeException.ThrowIfLessThan(milliseconds, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(milliseconds, ushort.MaxValue);
        if (frames is []) throw new ArgumentException("AnimatedPng: there is no frame.", nameof(frames));
        var (width, height) = (frames[0].Width, frames[0].Height);
        if (frames.FirstOrDefault(frame => frame.Width != width || frame.Height != height) is { } odd)
            throw new ArgumentException($"AnimatedPng: the frames are {width}×{height} and {odd.Width}×{odd.Height}; they must be of one size.", nameof(frames));

        var channels = frames.Max(frame => frame.Channels);
        var file = new MemoryStream();
        file.Write(Signature);
        uint sequence = 0;
        foreach (var (i, frame) in frames.Index())
        {
            byte[] png = ImageCodec.EncodePng(frame.ToChannels(channels)); // whose IHDR is the same for all
            if (i == 0)
            {
                WriteChunk(file, "IHDR", Chunks(png).First(chunk => chunk.Type == "IHDR").Data);
                WriteChunk(file, "acTL", [.. Number((uint)frames.Count), .. Number((uint)loops)]);
            }
            WriteChunk(file, "fcTL",
            [
                .. Number(sequence++), .. Number((uint)width), .. Number((uint)height), .. Number(0), .. Number(0),
                (byte)(milliseconds >> 8), (byte)milliseconds, 1000 >> 8, 1000 & 255, 0, 0,
            ]);
            foreach (var (_, data) in Chunks(png).Where(chunk => chunk.Type == "IDAT"))
            {
                if (i == 0) WriteChunk(file, "IDAT", data);
                else WriteChunk(file, "fdAT", [.. Number(sequence++), .. data]);
            }
        }
        WriteChunk(file, "IEND", []);
        return file.ToArray();
    }

    static IEnumerable<(string Type, byte[] Data)> Chunks(byte[] png)
    {
        for (var at = Signature.Length; at < png.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            yield return (System.Text.Encoding.ASCII.GetString(png, at + 4, 4), png[(at + 8)..(at + 8 + length)]);
            at += length + 12;
        }
    }

    static void WriteChunk(MemoryStream file, string type, byte[] data)
    {
        byte[] body = [.. System.Text.Encoding.ASCII.GetBytes(type), .. data];
        file.Write(Number((uint)data.Length));
        file.Write(body);
        file.Write(Number(Crc32(body)));
    }

    static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = ~0u;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xEDB88320 & (0u - (crc & 1)));
        }
        return ~crc;
    }
}
