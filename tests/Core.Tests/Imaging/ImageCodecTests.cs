using System.Buffers.Binary;
using System.Diagnostics;
using VaeFunctions.Imaging;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Imaging;

public class ImageCodecTests
{
    static readonly string[] Names =
    [
        "rgb.png", "grey.png", "grey16.png", "palette.png", "alpha.png", "baseline.jpg", "progressive.jpg", "grey.jpg",
        "cmyk.jpg", "turned.jpg",
        "lossy.webp", "lossless.webp", "alpha.webp",
    ];

    public static TheoryData<string> Files => [.. Names];

    [Theory]
    [InlineData("rgb.png", 0, 0)]
    [InlineData("lossless.webp", 0, 0)]
    [InlineData("palette.png", 6, 90)]
    [InlineData("baseline.jpg", 4, 120)] // chroma is stored at half the resolution, and the disc's edge is blue against none
    [InlineData("progressive.jpg", 4, 120)]
    [InlineData("turned.jpg", 4, 120)]
    [InlineData("cmyk.jpg", 4, 120)]
    [InlineData("lossy.webp", 6, 150)]
    public void Every_encoding_gives_the_same_picture(string file, double mean, int largest)
    {
        var difference = Fixture.Difference(Fixture.Picture(), Fixture.Decode(file));
        Assert.True(difference.Mean <= mean && difference.Largest <= largest, $"{file} differs by {difference}.");
    }

    [Theory]
    [InlineData("grey.png", 0)]
    [InlineData("grey16.png", 0)]
    [InlineData("grey.jpg", 16)]
    public void A_grey_file_is_a_grey_image(string file, int largest)
    {
        var image = Fixture.Decode(file);
        Assert.Equal(new ImageShape(Fixture.Height, Fixture.Width, 1), image.Shape);
        Assert.InRange(Fixture.Difference(Fixture.Picture().ToChannels(1), image).Largest, 0, largest);
    }

    [Theory]
    [InlineData("alpha.png")]
    [InlineData("alpha.webp")]
    public void Transparent_parts_lie_on_white(string file)
    {
        var opaque = Fixture.Picture();
        var image = Fixture.Decode(file);
        Assert.Equal((byte[])[255, 255, 255], image.Pixels[..3]); // x = 0 is fully transparent, x = 47 opaque
        Assert.Equal(opaque.Pixels[(47 * 3)..(48 * 3)], image.Pixels[(47 * 3)..(48 * 3)]);
        var alpha = 24 * 255 / 47;
        var at = 3 * (10 * Fixture.Width + 24);
        Assert.Equal(Math.Round((opaque.Pixels[at] * alpha + 255.0 * (255 - alpha)) / 255), image.Pixels[at]);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 5, 3)]
    [InlineData(300, 200, 3)]
    [InlineData(256, 256, 3)]
    [InlineData(257, 256, 3)]
    [InlineData(513, 1, 1)]
    public void Png_keeps_every_byte_even_of_noise(int width, int height, int channels)
    {
        var random = new RandomStream(1, "noise");
        var image = new Image(
            width, height, channels, [.. Enumerable.Range(0, width * height * channels).Select(_ => (byte)random.NextInt(256))]);
        var back = ImageCodec.Decode(ImageCodec.EncodePng(image));
        Assert.Equal(image.Shape, back.Shape);
        Assert.Equal(image.Pixels, back.Pixels);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_header_is_read_without_the_pixels(string file)
    {
        var encoded = Fixture.Read(file);
        var header = ImageCodec.ReadHeader(encoded);
        Assert.Equal(file == "turned.jpg" ? (Fixture.Height, Fixture.Width) : (Fixture.Width, Fixture.Height),
            (header.Width, header.Height));
        var format = Path.GetExtension(file) switch
        {
            ".png" => ImageFormat.Png,
            ".jpg" => ImageFormat.Jpeg,
            _ => ImageFormat.WebP,
        };
        Assert.Equal(format, header.Format);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_cut_short_is_an_error_and_never_half_an_image(string file)
    {
        var encoded = Fixture.Read(file);
        for (var length = 0; length < encoded.Length - 16; length += 7)
            Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(encoded.AsSpan(0, length)));
    }

    [Fact]
    public void A_jpeg_that_lacks_only_its_end_is_refused()
    {
        var encoded = Fixture.Read("baseline.jpg");
        var error = Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(encoded.AsSpan(0, encoded.Length - 2)));
        Assert.Contains("its end marker is missing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_after_an_image_do_no_harm()
    {
        foreach (string file in Names)
            Assert.Equal(Fixture.Decode(file).Pixels, ImageCodec.Decode([.. Fixture.Read(file), .. new byte[100]]).Pixels);
    }

    [Fact]
    public void Stray_bytes_before_a_marker_do_not_spoil_a_jpeg()
    {
        var encoded = Fixture.Read("baseline.jpg");
        var end = encoded.Length - 2;
        Assert.Equal(
            Fixture.Decode("baseline.jpg").Pixels, ImageCodec.Decode([.. encoded[..end], 0, 0, .. encoded[end..]]).Pixels);
    }

    [Fact]
    public void A_png_that_claims_to_be_huge_is_refused_before_memory_is_taken()
    {
        var encoded = Fixture.Read("rgb.png");
        BinaryPrimitives.WriteInt32BigEndian(encoded.AsSpan(16), 60_000);
        BinaryPrimitives.WriteInt32BigEndian(encoded.AsSpan(20), 60_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(encoded));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.StartsWith("The PNG says it is 60,000×60,000 pixels; at most 40,000,000", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Limits_hold_for_every_format(string file)
    {
        var encoded = Fixture.Read(file);
        const int pixels = Fixture.Width * Fixture.Height;
        ImageCodec.Decode(encoded, new ImageLimits { MaxPixels = pixels, MaxBytes = encoded.Length });
        Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(encoded, new ImageLimits { MaxPixels = pixels - 1 }));
        Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(encoded, new ImageLimits { MaxBytes = encoded.Length - 1 }));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Mutated_files_give_an_image_or_a_clear_error(string file)
    {
        var valid = Fixture.Read(file);
        var limits = new ImageLimits { MaxPixels = 100_000 };
        var refused = 0;
        for (ulong round = 0; round < 400; round++)
        {
            var random = new RandomStream(3, file, round);
            var mutated = valid.ToArray();
            for (var i = random.NextInt(8); i >= 0; i--) mutated[random.NextInt(mutated.Length)] = (byte)random.NextInt(256);
            if (random.NextInt(4) == 0) mutated = mutated[..random.NextInt(mutated.Length)];
            try
            {
                Assert.NotEmpty(ImageCodec.Decode(mutated, limits).Pixels);
            }
            catch (ImageFormatException error)
            {
                Assert.NotEmpty(error.Message);
                refused++;
            }
        }
        Assert.InRange(refused, 100, 400);
    }

    [Fact]
    public void Threads_decode_side_by_side()
    {
        var encoded = Fixture.Read("baseline.jpg");
        var expected = ImageCodec.Decode(encoded).Pixels;
        Parallel.For(0, 500, _ => Assert.Equal(expected, ImageCodec.Decode(encoded).Pixels));
    }

    [Fact]
    public void Small_jpegs_decode_by_the_thousand()
    {
        var encoded = Fixture.Read("baseline.jpg");
        ImageCodec.Decode(encoded);
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < 1000; i++) ImageCodec.Decode(encoded);
        Assert.True(watch.Elapsed.TotalSeconds < 20, $"1,000 JPEGs of 48×40 took {watch.Elapsed}."); // some 0.5 s on an idle core
    }
}
