using System.Buffers.Binary;
using System.Numerics;

namespace VaeFunctions.Imaging.Codecs;

/// <summary>Windows bitmaps that are not compressed: 1, 4, 8, 16, 24 or 32 bits a pixel, bottom-up or top-down.</summary>
/// <remarks>https://learn.microsoft.com/windows/win32/gdi/bitmap-storage</remarks>
internal sealed class BmpDecoder : IDecoder
{
    const int FileHeader = 14, OldHeader = 12; // the old one has 16-bit sides and three bytes a colour
    const uint Plain = 0, BitFields = 3, AlphaBitFields = 6;

    readonly byte[] content;
    readonly int bits, pixelsAt, stride;
    readonly bool isTopDown;
    readonly uint[] masks; // red, green, blue, alpha, for 16 and 32 bits
    readonly byte[] palette; // blue, green and red of each colour, for 8 bits and fewer

    BmpDecoder(byte[] content)
    {
        this.content = content;
        var headerSize = (int)U32(14);
        var isOld = headerSize == OldHeader;
        Need(FileHeader + headerSize);
        var height = isOld ? U16(20) : (int)U32(22);
        Width = isOld ? U16(18) : (int)U32(18);
        (isTopDown, bits) = (height < 0, isOld ? U16(24) : U16(28));
        if (Width <= 0 || height is 0 or int.MinValue) throw Broken($"its header says {Width}×{height} pixels");
        Height = Math.Abs(height);
        var compression = isOld ? Plain : U32(30);
        if (bits is not (1 or 4 or 8 or 16 or 24 or 32) || compression is not (Plain or BitFields or AlphaBitFields)
            || (compression != Plain && bits is not (16 or 32)))
            throw new ImageFormatException(
                $"The BMP has {bits} bits a pixel and compression {compression}; only uncompressed ones are read. "
                + "Save it as a PNG.");

        var masksAt = FileHeader + 40;
        var maskCount = compression == AlphaBitFields || headerSize >= 56 ? 4 : 3;
        masks = compression == Plain
            ? bits == 16 ? [0x7C00, 0x3E0, 0x1F, 0] : [0xFF0000, 0xFF00, 0xFF, 0]
            : [.. Enumerable.Range(0, 4).Select(i => i < maskCount ? U32(masksAt + 4 * i) : 0)];
        var colours = bits > 8 ? 0 : isOld || U32(46) is 0 or > 256 ? 1 << bits : (int)Math.Min(U32(46), 1u << bits);
        var entry = isOld ? 3 : 4;
        var paletteAt = FileHeader + headerSize;
        Need(paletteAt + colours * entry);
        palette = [.. Enumerable.Range(0, colours).SelectMany(i => content.AsSpan(paletteAt + i * entry, 3).ToArray())];
        pixelsAt = (int)Math.Min(U32(10), int.MaxValue);
        var rowBytes = ((long)Width * bits + 31) / 32 * 4;
        if (pixelsAt < paletteAt + colours * entry || rowBytes * Height > content.Length - pixelsAt)
            throw Broken($"{content.Length:N0} bytes are too few for {Width}×{Height} pixels");
        stride = (int)rowBytes;
    }

    public ImageFormat Format => ImageFormat.Bmp;

    public int Width { get; }

    public int Height { get; }

    public (int Width, int Height) UprightSize => (Width, Height);

    /// <exception cref="ImageFormatException">It is cut short, or compressed.</exception>
    public static BmpDecoder Open(ReadOnlySpan<byte> encoded) => new(encoded.ToArray());

    public void Dispose()
    {
    }

    public Image Decode(int shrink = 1)
    {
        var hasAlpha = masks[3] != 0;
        var isGrey = bits <= 8 && palette.Chunk(3).All(colour => colour[0] == colour[1] && colour[1] == colour[2]);
        var bands = isGrey ? 1 : hasAlpha && bits > 8 ? 4 : 3;
        var samples = new byte[Width * Height * bands];
        for (var y = 0; y < Height; y++)
        {
            var row = content.AsSpan(pixelsAt + (isTopDown ? y : Height - 1 - y) * stride, stride);
            for (var x = 0; x < Width; x++) ReadPixel(row, x, samples.AsSpan((y * Width + x) * bands, bands));
        }
        // Programs that know no alpha leave it at zero, which would be an empty picture.
        if (bands == 4 && !samples.Where((_, i) => i % 4 == 3).Any(alpha => alpha != 0))
            for (var i = 3; i < samples.Length; i += 4) samples[i] = byte.MaxValue;
        return Samples.ToImage(Width, Height, bands, samples);
    }

    void ReadPixel(ReadOnlySpan<byte> row, int x, Span<byte> sample)
    {
        if (bits <= 8)
        {
            var place = x * bits;
            var index = row[place >> 3] >> (8 - bits - (place & 7)) & ((1 << bits) - 1);
            if (3 * index >= palette.Length) throw Broken($"a pixel has colour {index} of {palette.Length / 3}");
            for (var c = 0; c < sample.Length; c++) sample[c] = palette[3 * index + 2 - c];
        }
        else if (bits == 24)
        {
            for (var c = 0; c < 3; c++) sample[c] = row[3 * x + 2 - c];
        }
        else
        {
            var pixel = bits == 16
                ? BinaryPrimitives.ReadUInt16LittleEndian(row[(2 * x)..])
                : BinaryPrimitives.ReadUInt32LittleEndian(row[(4 * x)..]);
            for (var c = 0; c < sample.Length; c++) sample[c] = Part(pixel, masks[c]);
        }
    }

    /// <summary>The bits under a mask, scaled to 0 to 255.</summary>
    static byte Part(uint pixel, uint mask)
    {
        if (mask == 0) return 0;
        var shift = BitOperations.TrailingZeroCount(mask);
        var most = (ulong)(mask >> shift);
        return (byte)(((ulong)((pixel & mask) >> shift) * 255 + most / 2) / most);
    }

    ushort U16(int at) => BinaryPrimitives.ReadUInt16LittleEndian(content.AsSpan(Need(at, 2)));

    uint U32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(Need(at, 4)));

    int Need(int at, int length = 0) => at >= 0 && at + length <= content.Length ? at : throw Broken("it ends within its header");

    static ImageFormatException Broken(string what) =>
        new($"The BMP is broken or cut short: {what}. Send the file again, complete.");
}
