using System.Text;
using VaeFunctions.Imaging;

namespace VaeFunctions.Tests.Imaging;

public class ImageFormatsTests
{
    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("hello\nthere", "text that starts with \"hello there\"")]
    [InlineData("für Élise, an air", "text that starts with \"für Élise, an air\"")]
    [InlineData("\x01\x02\x03", "3 bytes that start with 010203")]
    [InlineData("abc\x1b[31mred", "start with 6162631B5B33316D")]
    [InlineData("abc\0def", "start with 61626300646566")]
    [InlineData("tab\tand\u0085next", "start with 74616209616E64")]
    [InlineData("\0\0\0\x18" + "ftypheic\0\0\0\0", "a HEIC")]
    [InlineData("\0\0\0\x18" + "ftypmif1\0\0\0\0heicmiaf", "a HEIC")]
    [InlineData("\0\0\0\x18" + "ftypisom\0\0\0\0", "an ISO media file, such as an MP4")]
    [InlineData("\0\0\0\x0CjP  \r\n", "a JPEG 2000 (JP2)")]
    [InlineData("\0\0\0\x0CJXL \r\n", "a JPEG XL")]
    [InlineData("8BPS\0\x01", "a PSD")]
    [InlineData("\0\0\x01\0\x01\0\x10\x10", "an ICO")]
    [InlineData("\0\0\x02\0\x01\0\x10\x10", "a CUR")]
    [InlineData("<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "an SVG")]
    [InlineData("%PDF-1.7", "a PDF")]
    [InlineData("PK\u0003\u0004 and more", "a ZIP archive")]
    [InlineData("\0\0\x02\0\0\0\0\0\0\0\0\0\x10\0\x10\0\x18\x20 pixels", "a TGA")]
    [InlineData("\0\0\x0A\0\0\0\0\0\0\0\0\0\x10\0\x10\0\x20\x28 pixels", "a TGA")]
    public void What_is_no_image_is_named(string content, string expected)
    {
        var isText = content.StartsWith('f') || content.StartsWith("tab", StringComparison.Ordinal);
        var message = Refused(isText ? Encoding.UTF8.GetBytes(content) : Encoding.Latin1.GetBytes(content));
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.EndsWith(
            "Send a PNG, JPEG, WebP, GIF, TIFF, AVIF, BMP or PNM (PBM, PGM, PPM).", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_png_damaged_by_a_transfer_as_text_is_named()
    {
        var png = Fixture.Read("rgb.png");
        var text = Encoding.Latin1.GetString(png);
        string[] damaged =
        [
            text.Replace("\r\n", "\n", StringComparison.Ordinal), text.Replace("\n", "\r\n", StringComparison.Ordinal),
            text.Replace("\r\n", "\r", StringComparison.Ordinal), Encoding.Latin1.GetString(
                [.. png.Select(value => (byte)(value & 0x7F))]),
        ];
        foreach (var version in damaged)
            Assert.Contains("a PNG damaged by a transfer", Refused(Encoding.Latin1.GetBytes(version)), StringComparison.Ordinal);
        Assert.Contains("a PNG damaged", Refused(Encoding.UTF8.GetBytes(text)), StringComparison.Ordinal);
        Assert.Contains("a PNG damaged", Refused(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(png))), StringComparison.Ordinal);
    }

    [Fact]
    public void No_control_character_is_repeated_whatever_is_sent()
    {
        for (var value = 0; value < 256; value++)
        {
            foreach (byte[] content in (byte[][])[[(byte)value], [.. "plain "u8, (byte)value, .. " text"u8], [0xC2, (byte)value]])
                Refused(content);
        }
    }

    [Theory]
    [InlineData("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"4\" height=\"4\"/>")]
    [InlineData("<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\" width=\"4\" height=\"4\"/>")]
    [InlineData("1,2,3\n4,5,6\n")]
    [InlineData("2 2 1 0\n1 2\n3 4\n")]
    public void Drawings_and_tables_are_no_images(string content) => Refused(Encoding.UTF8.GetBytes(content));

    [Theory]
    [InlineData("picture.gif", 60)] // 256 colours
    [InlineData("picture.tif", 0)]
    [InlineData("picture.avif", 2)]
    [InlineData("picture.bmp", 0)]
    public void Other_programs_formats_give_the_same_picture(string file, int largest)
    {
        var encoded = Written.Picture(file);
        Assert.InRange(Fixture.Difference(Fixture.Picture(), ImageCodec.Decode(encoded)).Largest, 0, largest);
        for (var length = 0; length < encoded.Length - 16; length += Math.Max(7, encoded.Length / 100))
            Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(encoded.AsSpan(0, length)));
    }

    [Fact]
    public void The_first_frame_stands_for_an_animation_in_every_format()
    {
        var webp = Fixture.Decode("animated.webp");
        var (first, second) = (Written.Plain(30), Written.Plain(200));
        Assert.Equal(first.Pixels, ImageCodec.Decode(AnimatedPng.Encode([first, second], 100)).Pixels);
        Assert.Equal(first.Pixels, ImageCodec.Decode(Written.Frames(".gif", first, second)).Pixels);
        Assert.Equal(first.Pixels, ImageCodec.Decode(Written.Frames(".webp", first, second)).Pixels);
        Assert.Equal(first.Pixels, ImageCodec.Decode(Written.Frames(".tif", first, second)).Pixels);
        Assert.True(webp.Width > 1);
    }

    [Fact]
    public void Tiffs_of_every_depth_and_colour_are_read()
    {
        foreach (var (name, encoded) in Written.Tiffs())
            Assert.True(Fixture.Difference(Fixture.Picture().ToChannels(name.Contains("grey", StringComparison.Ordinal) ? 1 : 3),
                ImageCodec.Decode(encoded)).Largest <= (name.Contains("jpeg", StringComparison.Ordinal) ? 60 : 1), name);
    }

    [Theory]
    [InlineData(0x11, 0x11, 0x11, 0x11)]
    [InlineData(0x21, 0x11, 0x11, 0x11)]
    [InlineData(0x22, 0x11, 0x11, 0x22)]
    [InlineData(0x22, 0x21, 0x12, 0x11)]
    [InlineData(0x11, 0x22, 0x11, 0x21)]
    [InlineData(0x41, 0x11, 0x11, 0x41)]
    public void Cmyk_jpegs_of_any_subsampling_are_read(byte cyan, byte magenta, byte yellow, byte black)
    {
        // Stored inverted, as programs do: the light that each ink lets through. Red is cyan's times black's.
        var image = ImageCodec.Decode(Encodings.CmykJpeg(40, 24, [200, 100, 50, 204], [cyan, magenta, yellow, black]));
        Assert.Equal(new ImageShape(24, 40, 3), image.Shape);
        Assert.All(image.Pixels.Chunk(3), pixel => Assert.Equal((byte[])[160, 80, 40], pixel));
    }

    [Theory]
    [InlineData("P1\n3 2\n1 0 1\n010", 1, "0,255,0,255,0,255")]
    [InlineData("P2 # a comment\n3 1\n# another\n15\n0 5 15", 1, "0,85,255")]
    [InlineData("P3\n1 1 255 1 2 3\n", 3, "1,2,3")]
    [InlineData("P4\n10 1\n\u00AA\u0080", 1, "0,255,0,255,0,255,0,255,0,255")]
    [InlineData("P5\n2 1\n255\n\u0007\u00FF", 1, "7,255")]
    [InlineData("P5\n2 1\n65535\n\u0080\u0080\u0000\u00FF", 1, "128,1")]
    [InlineData("P5\r2 1\r100\r\u0032\u0064", 1, "128,255")]
    [InlineData("P6 1 2 255 abcdef", 3, "97,98,99,100,101,102")]
    public void Portable_anymaps_are_read(string content, int channels, string pixels)
    {
        var image = ImageCodec.Decode(Encoding.Latin1.GetBytes(content));
        Assert.Equal(channels, image.Channels);
        Assert.Equal(pixels, string.Join(',', image.Pixels));
    }

    [Theory]
    [InlineData("P5\n2 1\n255\n\u0007")]
    [InlineData("P2\n2 1\n255\n7")]
    [InlineData("P2\n2 1\n255\n7 256")]
    [InlineData("P2\n2 1\n255\n7 x")]
    [InlineData("P1\n2 1\n12")]
    [InlineData("P5\n0 1\n255\n")]
    [InlineData("P5\n2 1\n0\n\u0001\u0001")]
    [InlineData("P5\n2 1\n65536\n\u0001\u0001\u0001\u0001")]
    [InlineData("P6\n99999999999 1\n255\n")]
    [InlineData("P6\n5000 5000\n255\n")]
    [InlineData("P5\n#")]
    [InlineData("P5\n")]
    public void Broken_anymaps_are_refused(string content) =>
        Assert.Contains("The PNM is broken or cut short", Refused(Encoding.Latin1.GetBytes(content)), StringComparison.Ordinal);

    [Fact]
    public void Bitmaps_of_every_depth_are_read()
    {
        byte[] palette = [0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0, 9, 9, 9, 0]; // red, green, blue, grey
        Assert.Equal(
            (byte[])[255, 0, 0, 0, 255, 0], ImageCodec.Decode(Written.Bmp(2, 1, 1, 0, palette[..8], [0x40, 0, 0, 0], 2)).Pixels);
        Assert.Equal(
            (byte[])[0, 0, 255, 9, 9, 9], ImageCodec.Decode(Written.Bmp(2, 1, 4, 0, palette, [0x23, 0, 0, 0], 4)).Pixels);
        Assert.Equal((byte[])[255, 0, 0, 0, 0, 255], ImageCodec.Decode(Written.Bmp(2, 1, 8, 0, palette, [0, 2, 0, 0], 4)).Pixels);
        Assert.Equal(
            (byte[])[255, 0, 0, 0, 0, 255], ImageCodec.Decode(Written.Bmp(2, 1, 16, 0, [], [0x00, 0x7C, 0x1F, 0])).Pixels);
        Assert.Equal((byte[])[3, 2, 1], ImageCodec.Decode(Written.Bmp(1, 1, 32, 0, [], [1, 2, 3, 0])).Pixels);
        byte[] masks565 = [0, 0xF8, 0, 0, 0xE0, 7, 0, 0, 0x1F, 0, 0, 0];
        Assert.Equal((byte[])[0, 255, 0], ImageCodec.Decode(Written.Bmp(1, 1, 16, 3, masks565, [0xE0, 7, 0, 0])).Pixels);
        byte[] withAlpha = [0xFF, 0, 0, 0, 0, 0xFF, 0, 0, 0, 0, 0xFF, 0, 0, 0, 0, 0xFF];
        Assert.Equal((byte[])[10, 20, 30, 255, 255, 255],
            ImageCodec.Decode(Written.Bmp(2, 1, 32, 6, withAlpha, [10, 20, 30, 255, 1, 1, 1, 0])).Pixels);
        // alpha that nobody set
        Assert.Equal((byte[])[10, 20, 30], ImageCodec.Decode(Written.Bmp(1, 1, 32, 6, withAlpha, [10, 20, 30, 0])).Pixels);
        byte[] greys = [0, 0, 0, 0, 200, 200, 200, 0];
        var grey = ImageCodec.Decode(Written.Bmp(2, 1, 8, 0, greys, [1, 0, 0, 0], 2));
        Assert.Equal((1, (byte)200), (grey.Channels, grey.Pixels[0]));
    }

    [Fact]
    public void A_bitmap_may_lie_top_down()
    {
        byte[] rows = [1, 1, 1, 0, 2, 2, 2, 0];
        Assert.Equal((byte[])[2, 2, 2, 1, 1, 1], ImageCodec.Decode(Written.Bmp(1, 2, 24, 0, [], rows)).Pixels);
        Assert.Equal((byte[])[1, 1, 1, 2, 2, 2], ImageCodec.Decode(Written.Bmp(1, -2, 24, 0, [], rows)).Pixels);
    }

    [Fact]
    public void Broken_or_compressed_bitmaps_are_refused()
    {
        Assert.Contains(
            "only uncompressed", Refused(Written.Bmp(2, 1, 8, 1, new byte[8], new byte[8], 2)), StringComparison.Ordinal);
        Assert.Contains("too few", Refused(Written.Bmp(2, 2, 24, 0, [], new byte[8])), StringComparison.Ordinal);
        Assert.Contains(
            "a pixel has colour", Refused(Written.Bmp(1, 1, 8, 0, new byte[8], [7, 0, 0, 0], 2)), StringComparison.Ordinal);
        Refused(Written.Bmp(int.MaxValue, int.MaxValue, 24, 0, [], new byte[8]));
        Refused(Written.Bmp(1, int.MinValue, 24, 0, [], new byte[8]));
        Refused(Written.Bmp(0, 1, 24, 0, [], new byte[8]));
    }

    [Theory]
    [InlineData("cat.PNG", true)]
    [InlineData("cat.jpeg", true)]
    [InlineData("a/b.tiff", true)]
    [InlineData("cat.ppm", true)]
    [InlineData("cat.heic", false)]
    [InlineData("png", false)]
    public void Names_tell_what_is_worth_decoding(string name, bool expected) =>
        Assert.Equal(expected, ImageFormats.IsImageName(name));

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(64)]
    [InlineData(300)]
    [InlineData(900)]
    public void A_picture_shrunk_while_it_is_read_is_near_the_exact_one(int side)
    {
        var shape = new ImageShape(side, side, 3);
        foreach (var encoded in (byte[][])[Written.Jpeg(Written.Large()), Written.LosslessWebP(Written.Large())])
        {
            var fitted = ImageCodec.DecodeTo(new(shape), encoded);
            Assert.Equal((shape, 1200, 1000), (fitted.Image.Shape, fitted.OriginalWidth, fitted.OriginalHeight));
            var difference = Fixture.Difference(ImageCodec.Decode(encoded).FitTo(shape), fitted.Image);
            Assert.True(difference.Mean < 1.5 && difference.Largest < 12, $"At {side} it differs by {difference}.");
        }
    }

    [Fact]
    public void A_picture_less_than_twice_too_large_is_fitted_exactly()
    {
        var shape = new ImageShape(24, 24, 3);
        foreach (var file in (string[])["baseline.jpg", "lossy.webp", "turned.jpg", "rgb.png"])
            Assert.Equal(Fixture.Decode(file).FitTo(shape).Pixels,
                ImageCodec.DecodeTo(new(shape), Fixture.Read(file)).Image.Pixels);
    }

    static string Refused(byte[] content)
    {
        var message = Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(content)).Message;
        Assert.DoesNotContain(message, char.IsControl);
        return message;
    }
}
