using NetVips;

namespace VaeFunctions.Tests.Imaging;

/// <summary>Files in the formats that need a program to write them.</summary>
static class Written
{
    static NetVips.Image Vips(VaeFunctions.Imaging.Image image)
    {
        using var raw =
            NetVips.Image.NewFromMemory<byte>(image.Pixels, image.Width, image.Height, image.Channels, Enums.BandFormat.Uchar);
        return raw.Copy(interpretation: image.Channels == 1 ? Enums.Interpretation.Bw : Enums.Interpretation.Srgb).CopyMemory();
    }

    /// <summary>The committed pictures' subject, by the ending of a name; <c>large</c> is 2048×2048 of one colour.</summary>
    public static byte[] Picture(string name)
    {
        using var image = name.StartsWith("large", StringComparison.Ordinal)
            ? Vips(new(2048, 2048, 3, [.. Enumerable.Repeat((byte)90, 2048 * 2048 * 3)]))
            : Vips(Fixture.Picture());
        return Path.GetExtension(name) switch
        {
            ".gif" => image.GifsaveBuffer(dither: 0),
            ".tif" => image.TiffsaveBuffer(),
            ".avif" => image.HeifsaveBuffer(compression: Enums.ForeignHeifCompression.Av1, lossless: true, effort: 0),
            ".bmp" => Bmp24(Fixture.Picture()),
            _ => throw new ArgumentException(name),
        };
    }

    public static byte[] Bmp24(VaeFunctions.Imaging.Image image)
    {
        var stride = (image.Width * 3 + 3) / 4 * 4;
        var rows = new byte[stride * image.Height];
        for (var y = 0; y < image.Height; y++)
            for (var i = 0; i < image.Width * 3; i++)
                rows[(image.Height - 1 - y) * stride + i] = image.Pixels[y * image.Width * 3 + i / 3 * 3 + 2 - i % 3];
        return Bmp(image.Width, image.Height, 24, 0, [], rows);
    }

    /// <summary>A bitmap with the header of 40 bytes; <paramref name="between"/> is masks or palette.</summary>
    public static byte[] Bmp(int width, int height, int bits, uint compression, byte[] between, byte[] rows, uint colours = 0) =>
    [
        .. "BM"u8, .. Encodings.Little((uint)(54 + between.Length + rows.Length)), 0, 0, 0, 0, .. Encodings.Little((uint)(54
            + between.Length)),
        .. Encodings.Little(40), .. Encodings.Little((uint)width), .. Encodings.Little((uint)height), 1, 0, (byte)bits, 0,
        .. Encodings.Little(compression), .. new byte[12], .. Encodings.Little(colours), .. new byte[4], .. between, .. rows,
    ];

    public static byte[] Progressive(int width, int height)
    {
        using var image = Vips(new(width, height, 3, [.. Enumerable.Repeat((byte)90, width * height * 3)]));
        return image.JpegsaveBuffer(interlace: true, optimizeScans: true, keep: Enums.ForeignKeep.None);
    }

    public static byte[] JpegWithStandardTables()
    {
        using var image = Vips(Fixture.Picture());
        return image.JpegsaveBuffer(q: 90, optimizeCoding: false, keep: Enums.ForeignKeep.None);
    }

    public static byte[] Jpeg(VaeFunctions.Imaging.Image picture, int quality = 92)
    {
        using var image = Vips(picture);
        return image.JpegsaveBuffer(q: quality, subsampleMode: Enums.ForeignSubsample.Off, keep: Enums.ForeignKeep.None);
    }

    public static byte[] CmykJpeg(byte[] inks, int width, int height)
    {
        byte[] pixels = [.. Enumerable.Repeat(inks, width * height).SelectMany(ink => ink)];
        using var raw = NetVips.Image.NewFromMemory<byte>(pixels, width, height, 4, Enums.BandFormat.Uchar);
        using var image = raw.Copy(interpretation: Enums.Interpretation.Cmyk);
        return image.JpegsaveBuffer(q: 98, keep: Enums.ForeignKeep.None);
    }

    public static byte[] LosslessWebP(VaeFunctions.Imaging.Image picture)
    {
        using var image = Vips(picture);
        return image.WebpsaveBuffer(lossless: true, keep: Enums.ForeignKeep.None);
    }

    /// <summary>A soft picture of 1200×1000 pixels.</summary>
    public static VaeFunctions.Imaging.Image Large()
    {
        var pixels = new byte[1200 * 1000 * 3];
        for (var i = 0; i < 1200 * 1000; i++)
        {
            var (x, y) = (i % 1200, i / 1200);
            pixels[3 * i] = (byte)(x * 255 / 1200);
            pixels[3 * i + 1] = (byte)(y * 255 / 1000);
            pixels[3 * i + 2] = (byte)(127 + 100 * Math.Sin(x / 40.0) * Math.Cos(y / 50.0));
        }
        return new(1200, 1000, 3, pixels);
    }

    public static VaeFunctions.Imaging.Image Plain(byte value) => new(12, 10, 3, [.. Enumerable.Repeat(value, 360)]);

    /// <summary>An animation, or a file of two pages.</summary>
    public static byte[] Frames(string ending, VaeFunctions.Imaging.Image first, VaeFunctions.Imaging.Image second)
    {
        using var above = Vips(first);
        using var below = Vips(second);
        using var joined = above.Join(below, Enums.Direction.Vertical);
        using var paged = joined.Mutate(image => image.Set(GValue.GIntType, "page-height", first.Height));
        return ending switch
        {
            ".gif" => paged.GifsaveBuffer(pageHeight: first.Height),
            ".webp" => paged.WebpsaveBuffer(lossless: true, pageHeight: first.Height),
            _ => paged.TiffsaveBuffer(pageHeight: first.Height),
        };
    }

    /// <summary>The picture as TIFFs of several kinds, by name.</summary>
    public static IEnumerable<(string Name, byte[] Encoded)> Tiffs()
    {
        using var colour = Vips(Fixture.Picture());
        using var grey = Vips(Fixture.Picture().ToChannels(1));
        using var wide = colour.Colourspace(Enums.Interpretation.Rgb16);
        using var wideGrey = grey.Colourspace(Enums.Interpretation.Grey16);
        using var lab = colour.Colourspace(Enums.Interpretation.Lab);
        using var light = colour.Colourspace(Enums.Interpretation.Scrgb);
        yield return ("grey", grey.TiffsaveBuffer(compression: Enums.ForeignTiffCompression.Deflate));
        yield return ("lzw", colour.TiffsaveBuffer(
            compression: Enums.ForeignTiffCompression.Lzw, predictor: Enums.ForeignTiffPredictor.Horizontal));
        yield return ("tiles", colour.TiffsaveBuffer(tile: true, tileWidth: 16, tileHeight: 16));
        yield return ("16 bits", wide.TiffsaveBuffer());
        yield return ("16 bits, grey", wideGrey.TiffsaveBuffer());
        yield return ("big", colour.TiffsaveBuffer(bigtiff: true));
        yield return ("lab", lab.TiffsaveBuffer());
        yield return ("light", light.TiffsaveBuffer());
        yield return ("jpeg", colour.TiffsaveBuffer(compression: Enums.ForeignTiffCompression.Jpeg, q: 95));
    }
}
