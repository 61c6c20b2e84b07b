using System.Buffers.Binary;
using VaeFunctions.Imaging.Codecs;

namespace VaeFunctions.Imaging;

/// <summary>
/// Several images of one size as an animated PNG, which viewers that know no animation show as its first image.
/// </summary>
/// <remarks>https://www.w3.org/TR/png-3/#apng-frame-based-animation</remarks>
public static class AnimatedPng
{
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
            throw new ArgumentException(
                $"AnimatedPng: the frames are {width}×{height} and {odd.Width}×{odd.Height}; "
                + "they must be of one size.", nameof(frames));

        var channels = frames.Max(frame => frame.Channels);
        var file = new MemoryStream();
        file.Write(PngWriter.Signature);
        uint sequence = 0;
        foreach (var (i, frame) in frames.Index())
        {
            var image = frame.ToChannels(channels);
            if (i == 0)
            {
                PngWriter.WriteChunk(file, "IHDR"u8, PngWriter.Header(image)); // the same for all
                PngWriter.WriteChunk(file, "acTL"u8, [.. Number((uint)frames.Count), .. Number((uint)loops)]);
            }
            PngWriter.WriteChunk(file, "fcTL"u8,
            [
                .. Number(sequence++), .. Number((uint)width), .. Number((uint)height), .. Number(0), .. Number(0),
                (byte)(milliseconds >> 8), (byte)milliseconds, 1000 >> 8, 1000 & 255, 0, 0,
            ]);
            if (i == 0) PngWriter.WriteChunk(file, "IDAT"u8, PngWriter.Data(image));
            else PngWriter.WriteChunk(file, "fdAT"u8, [.. Number(sequence++), .. PngWriter.Data(image)]);
        }
        PngWriter.WriteChunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}
