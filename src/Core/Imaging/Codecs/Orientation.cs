using System.Buffers.Binary;

namespace VaeFunctions.Imaging.Codecs;

/// <summary>How a camera was held: EXIF's tag 0x0112, from 1 (upright) to 8. (EXIF 2.3, 4.6.4)</summary>
internal static class Orientation
{
    const int Upright1 = 1, Tag = 0x0112, ShortType = 3;

    /// <summary>The orientation that a JPEG's EXIF block states; 1 where it states none, or nonsense.</summary>
    public static int Read(ReadOnlySpan<byte> jpeg)
    {
        // Segments follow each other as FF, marker, length (which counts itself); FF DA begins the pixels.
        for (var at = 2; at + 4 <= jpeg.Length && jpeg[at] == 0xFF && jpeg[at + 1] != 0xDA;)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(jpeg[(at + 2)..]);
            if (length < 2 || at + 2 + length > jpeg.Length) break;
            var segment = jpeg.Slice(at + 4, length - 2);
            if (jpeg[at + 1] == 0xE1 && segment.StartsWith("Exif\0\0"u8)) return ReadTiff(segment[6..]);
            at += 2 + length;
        }
        return Upright1;
    }

    static int ReadTiff(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 8) return Upright1;
        var little = tiff[0] == 'I';
        var start = little ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (start > tiff.Length - 2) return Upright1;
        var directory = tiff[(int)start..];
        var entries = Short(directory);
        for (var at = 2; entries > 0 && at + 12 <= directory.Length; at += 12, entries--)
            if (Short(directory[at..]) == Tag && Short(directory[(at + 2)..]) == ShortType)
                return Short(directory[(at + 8)..]) is >= 1 and <= 8 and var found ? found : Upright1;
        return Upright1;

        ushort Short(ReadOnlySpan<byte> at) => little ? BinaryPrimitives.ReadUInt16LittleEndian(at) : BinaryPrimitives.ReadUInt16BigEndian(at);
    }

    /// <summary>The picture as it was seen.</summary>
    public static Image Upright(Image stored, int orientation)
    {
        if (orientation == Upright1) return stored;
        var (storedWidth, storedHeight, channels) = (stored.Width, stored.Height, stored.Channels);
        var (width, height) = orientation >= 5 ? (storedHeight, storedWidth) : (storedWidth, storedHeight);
        var pixels = new byte[stored.Pixels.Length];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (right, down) = (storedWidth - 1, storedHeight - 1);
                var (fromX, fromY) = orientation switch
                {
                    2 => (right - x, y),
                    3 => (right - x, down - y),
                    4 => (x, down - y),
                    5 => (y, x),
                    6 => (y, down - x),
                    7 => (right - y, down - x),
                    _ => (right - y, x),
                };
                stored.Pixels.AsSpan((fromY * storedWidth + fromX) * channels, channels).CopyTo(pixels.AsSpan((y * width + x) * channels));
            }
        }
        return new Image(width, height, channels, pixels);
    }
}
