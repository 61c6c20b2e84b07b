using VaeFunctions.Imaging;

namespace VaeFunctions.Tests.Imaging;

/// <summary>Pictures that name a colour space arrive in sRGB, and every kind of PNG gives the picture it holds.</summary>
public class ImageColourTests
{
    // Linear light from each space's red, green and blue to sRGB's; Display P3 and ProPhoto (adapted from D50 by Bradford).
    static readonly double[,] P3ToSrgb = { { 1.2249, -0.2247, 0 }, { -0.0420, 1.0419, 0 }, { -0.0197, -0.0786, 1.0979 } };
    static readonly double[,] ProPhotoToSrgb =
        { { 2.0343, -0.7276, -0.3067 }, { -0.2288, 1.2317, -0.0029 }, { -0.0086, -0.1533, 1.1619 } };

    static readonly byte[][] Colours =
        [[200, 100, 50], [60, 140, 90], [90, 90, 200], [128, 128, 128], [255, 255, 255], [0, 0, 0]];

    static byte[] Expected(byte[] colour, Func<double, double> light, double[,] matrix) =>
        [.. Enumerable.Range(0, 3).Select(row =>
        {
            var value =
                Math.Clamp(Enumerable.Range(0, 3).Sum(column => matrix[row, column] * light(colour[column] / 255.0)), 0, 1);
            return (byte)Math.Round(255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * Math.Pow(value, 1 / 2.4) - 0.055));
        })];

    static double LightOfSrgb(double value) => value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4);

    static byte[] DisplayP3 => NetVips.Image.ProfileLoad("p3");

    static byte[] ProPhoto => Encodings.MatrixProfile((0.7977, 0.2880, 0), (0.1352, 0.7119, 0), (0.0313, 0.0001, 0.8249), 1.8);

    static byte[] ProfileChunk(byte[] profile) => Encodings.Chunk("iCCP", [.. "test\0\0"u8, .. Encodings.Deflate(profile)]);

    static void Near(byte[] expected, ReadOnlySpan<byte> found, int tolerance, string what)
    {
        for (var c = 0; c < 3; c++)
            Assert.True(Math.Abs(expected[c] - found[c]) <= tolerance,
                $"{what}: {string.Join(' ', found[..3].ToArray())} instead of {string.Join(' ', expected)}.");
    }

    [Theory]
    [InlineData(8, false)]
    [InlineData(16, false)]
    [InlineData(8, true)]
    [InlineData(16, true)]
    public void A_png_with_a_profile_is_brought_to_srgb(int bits, bool isProPhoto)
    {
        var encoded = Encodings.Png(Colours.Length, 1, 2, bits, (x, _, c) => Colours[x][c] * (bits == 16 ? 257 : 1),
            chunks: ProfileChunk(isProPhoto ? ProPhoto : DisplayP3));
        var image = ImageCodec.Decode(encoded);
        for (var i = 0; i < Colours.Length; i++)
            Near(isProPhoto
                ? Expected(Colours[i], value => Math.Pow(value, 1.8), ProPhotoToSrgb)
                : Expected(Colours[i], LightOfSrgb, P3ToSrgb),
                image.Pixels.AsSpan(3 * i), 4, $"Colour {i}");
    }

    [Fact]
    public void A_jpeg_with_a_profile_is_brought_to_srgb()
    {
        for (var i = 0; i < Colours.Length; i++)
        {
            var plain = Written.Jpeg(new Image(16, 16, 3, [.. Enumerable.Repeat(Colours[i], 256).SelectMany(colour => colour)]));
            var tagged = Encodings.Insert(plain, Encodings.Segment(0xE2, [.. "ICC_PROFILE\0"u8, 1, 1, .. DisplayP3]));
            Near(Expected(Colours[i], LightOfSrgb, P3ToSrgb), ImageCodec.Decode(tagged).Pixels, 4, $"Colour {i}");
            Near(Colours[i], ImageCodec.Decode(plain).Pixels, 2, $"Colour {i} without a profile");
        }
    }

    [Fact]
    public void A_grey_picture_with_a_profile_stays_grey()
    {
        var image = ImageCodec.Decode(Encodings.Png(2, 1, 0, 8, (x, _, _) => 100 + x, chunks: ProfileChunk(DisplayP3)));
        Assert.Equal(1, image.Channels);
        Assert.Equal((byte[])[100, 101], image.Pixels); // that profile is for RGB, and so no use
    }

    [Fact]
    public void A_broken_profile_is_left_aside()
    {
        foreach (var profile in (byte[][])[DisplayP3[..200], new byte[300], [1]])
        {
            var image = ImageCodec.Decode(
                Encodings.Png(Colours.Length, 1, 2, 8, (x, _, c) => Colours[x][c], chunks: ProfileChunk(profile)));
            Assert.Equal(Colours.SelectMany(colour => colour), image.Pixels);
        }
    }

    [Fact]
    public void A_cmyk_jpeg_with_a_profile_takes_its_colours_from_it()
    {
        // A press whose cyan is orange and whose yellow is violet: no other profile says so.
        static (double L, double A, double B) Press(bool c, bool m, bool y, bool k) =>
            k ? (10, 0, 0) : c ? (65, 50, 60) : m ? (50, 0, -40) : y ? (60, 50, -40) : (100, 0, 0);
        foreach (var (inks, lab) in new[]
        {
            ((byte[])[255, 0, 0, 0], Press(true, false, false, false)), ([0, 255, 0, 0], Press(false, true, false, false)),
            ([0, 0, 255, 0], Press(false, false, true, false)), ([0, 0, 0, 0], Press(false, false, false, false)),
        })
        {
            var plain = Written.CmykJpeg(inks, 16, 16);
            var tagged =
                Encodings.Insert(plain, Encodings.Segment(0xE2, [.. "ICC_PROFILE\0"u8, 1, 1, .. Encodings.InkProfile(Press)]));
            Near(SrgbOfLab(lab), ImageCodec.Decode(tagged).Pixels, 6, $"Inks {string.Join(' ', inks)}");
        }
    }

    static byte[] SrgbOfLab((double L, double A, double B) lab)
    {
        static double Inverse(double t) => t > 6.0 / 29 ? t * t * t : 3 * 36.0 / 841 * (t - 4.0 / 29);
        var fy = (lab.L + 16) / 116;
        var (x, y, z) = (0.9642 * Inverse(fy + lab.A / 500), Inverse(fy), 0.8249 * Inverse(fy - lab.B / 200));
        // XYZ below D50 to sRGB, adapted by Bradford.
        double[] linear =
        [
            3.1339 * x - 1.6169 * y - 0.4906 * z, -0.9788 * x + 1.9161 * y + 0.0335 * z, 0.0719 * x - 0.2290 * y + 1.4052 * z,
        ];
        return [.. linear.Select(value => Math.Clamp(value, 0, 1))
            .Select(value => (byte)Math.Round(
                255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * Math.Pow(value, 1 / 2.4) - 0.055)))];
    }

    [Theory]
    [InlineData(0, 8)]
    [InlineData(2, 8)]
    [InlineData(6, 8)]
    [InlineData(0, 16)]
    [InlineData(2, 16)]
    [InlineData(4, 16)]
    public void A_png_of_linear_light_is_brought_to_srgb(int type, int bits)
    {
        var most = bits == 16 ? 65535 : 255;
        var channels = type switch { 0 => 1, 2 => 3, 4 => 2, _ => 4 };
        var gamma = Encodings.Chunk("gAMA", Encodings.Big(100_000));
        var image = ImageCodec.Decode(Encodings.Png(most == 255 ? 256 : 300, 1, type, bits,
            (x, _, c) => channels % 2 == 0 && c == channels - 1 ? most : most == 255 ? x : x * 219, chunks: gamma));
        for (var x = 0; x < image.Width; x++)
        {
            var light = most == 255 ? x / 255.0 : x * 219 / 65535.0;
            var expected = 255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * Math.Pow(light, 1 / 2.4) - 0.055);
            Assert.InRange(image.Pixels[x * image.Channels], expected - 1, expected + 1);
        }
    }

    [Theory]
    [InlineData(45455)]
    [InlineData(46000)]
    public void The_usual_gamma_changes_nothing(int gamma)
    {
        var chunk = Encodings.Chunk("gAMA", Encodings.Big((uint)gamma));
        var image = ImageCodec.Decode(Encodings.Png(256, 1, 0, 8, (x, _, _) => x, chunks: chunk));
        Assert.Equal(Enumerable.Range(0, 256).Select(value => (byte)value), image.Pixels);
    }

    [Fact]
    public void What_srgb_or_a_profile_says_goes_before_gamma()
    {
        var gamma = Encodings.Chunk("gAMA", Encodings.Big(100_000));
        var srgb = ImageCodec.Decode(Encodings.Png(1, 1, 0, 8, (_, _, _) => 77, chunks: [Encodings.Chunk("sRGB", [0]), gamma]));
        Assert.Equal(77, srgb.Pixels[0]);
        var tagged =
            ImageCodec.Decode(Encodings.Png(1, 1, 2, 8, (_, _, c) => Colours[0][c], chunks: [ProfileChunk(DisplayP3), gamma]));
        Near(Expected(Colours[0], LightOfSrgb, P3ToSrgb), tagged.Pixels, 3, "Display P3");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_png_that_names_display_p3_by_numbers_is_brought_to_srgb(bool byCode)
    {
        byte[] Points(params uint[] values) => [.. values.SelectMany(Encodings.Big)];
        byte[][] chunks = byCode
            ? [Encodings.Chunk("cICP", [12, 13, 0, 1])]
            : [Encodings.Chunk("gAMA", Encodings.Big(45455)), Encodings.Chunk(
                "cHRM", Points(31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))];
        var image = ImageCodec.Decode(Encodings.Png(Colours.Length, 1, 2, 8, (x, _, c) => Colours[x][c], chunks: chunks));
        for (var i = 0; i < Colours.Length; i++)
            Near(Expected(Colours[i], LightOfSrgb, P3ToSrgb), image.Pixels.AsSpan(3 * i), 2, $"Colour {i}");
    }

    [Theory]
    [InlineData(0, 8)]
    [InlineData(2, 8)]
    [InlineData(4, 8)]
    [InlineData(6, 8)]
    [InlineData(0, 16)]
    [InlineData(2, 16)]
    [InlineData(4, 16)]
    [InlineData(6, 16)]
    public void An_interlaced_png_equals_its_plain_twin(int type, int bits)
    {
        var scale = bits == 16 ? 257 : 1;
        int Gradient(int x, int y, int c) =>
            (c switch { 0 => 5 * x, 1 => 6 * y, 2 => 3 * (x + y), _ => 255 - x - y }) * scale + (bits == 16 ? x : 0);
        var plain = ImageCodec.Decode(Encodings.Png(48, 40, type, bits, Gradient));
        Assert.Equal(plain.Pixels, ImageCodec.Decode(Encodings.Png(48, 40, type, bits, Gradient, interlaced: true)).Pixels);
        if (type is 0 or 2) Assert.InRange(plain.Pixels[plain.Channels * (3 * 48 + 7)], 34, 36);
    }

    [Fact]
    public void Sixteen_bits_are_rounded_to_eight()
    {
        var image = ImageCodec.Decode(Encodings.Png(256, 256, 0, 16, (x, y, _) => 256 * y + x));
        for (var value = 0; value < 65536; value++) Assert.Equal((byte)Math.Round(value / 257.0), image.Pixels[value]);
    }
}
