using System.Buffers.Binary;
using System.Diagnostics;
using VaeFunctions.Imaging;

namespace VaeFunctions.Tests.Imaging;

/// <summary>
/// Files that are broken, or made to cost much: each is refused soon, and none changes what becomes of another.
/// </summary>
public class ImageFaultTests
{
    static readonly byte[] Jpeg = Fixture.Read("baseline.jpg");

    static string Refused(byte[] encoded)
    {
        var watch = Stopwatch.StartNew();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var message = Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(encoded)).Message;
        Assert.True(watch.Elapsed.TotalSeconds < 5, $"It took {watch.Elapsed} to refuse it.");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4L * encoded.Length + (4 << 20));
        Assert.DoesNotContain(message, char.IsControl);
        return message;
    }

    [Theory]
    [InlineData("tEXt", 0x7FFFFFFFu)]
    [InlineData("tEXt", 0xFFFFFFFFu)]
    [InlineData("tEXt", 5u)]
    [InlineData("iCCP", 0x7FFFFFFFu)]
    [InlineData("eXIf", 0x7FFFFFFFu)]
    [InlineData("PLTE", 0x7FFFFFFEu)]
    [InlineData("IDAT", 0x7FFFFFFFu)]
    [InlineData("zzZz", 0x80000000u)]
    public void A_png_chunk_longer_than_the_file_is_refused_at_once(string type, uint length)
    {
        var header = Fixture.Read("rgb.png")[..33];
        byte[] chunk = [.. Encodings.Big(length), .. Encodings.Chunk(type, [1, 2, 3, 4])[4..12]];
        Assert.Contains("PNG is cut short", Refused([.. header, .. chunk, 0, 0, 0, 0]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("baseline.jpg")]
    [InlineData("progressive.jpg")]
    [InlineData("turned.jpg")]
    public void A_jpeg_segment_longer_than_the_file_is_refused_at_once(string file)
    {
        var (segments, _) = Encodings.Split(Fixture.Read(file));
        var at = 2;
        foreach (var segment in segments)
        {
            var encoded = Fixture.Read(file);
            encoded[at + 2] = encoded[at + 3] = 0xFF;
            Assert.Contains("JPEG", Refused(encoded), StringComparison.Ordinal);
            encoded[at + 2] = encoded[at + 3] = 0;
            Assert.Contains("JPEG", Refused(encoded), StringComparison.Ordinal);
            at += segment.Length;
        }
    }

    [Theory]
    [InlineData("lossy.webp")]
    [InlineData("lossless.webp")]
    [InlineData("alpha.webp")]
    [InlineData("animated.webp")]
    [InlineData("picture.gif")]
    [InlineData("picture.tif")]
    [InlineData("picture.avif")]
    [InlineData("picture.bmp")]
    [InlineData("rgb.png")]
    [InlineData("baseline.jpg")]
    public void No_number_in_a_file_makes_decoding_long_or_large(string file)
    {
        var encoded = file.StartsWith("picture", StringComparison.Ordinal) ? Written.Picture(file) : Fixture.Read(file);
        var limits = new ImageLimits { MaxPixels = 1_000_000 };
        // Every four bytes of the first 400 in turn, as far as the file goes, become the largest number.
        for (var at = 0; at < Math.Min(encoded.Length, 400) - 4; at += 2)
        {
            var changed = encoded.ToArray();
            changed.AsSpan(at, 4).Fill(0xFF);
            changed[at] = 0x7F;
            var watch = Stopwatch.StartNew();
            try
            {
                ImageCodec.Decode(changed, limits);
            }
            catch (ImageFormatException fault)
            {
                Assert.DoesNotContain(fault.Message, char.IsControl);
            }
            Assert.True(watch.Elapsed.TotalSeconds < 3, $"With 7FFFFFFF at byte {at} it took {watch.Elapsed}.");
        }
    }

    [Fact]
    public void A_jpeg_without_quantisation_tables_is_refused_whatever_came_before()
    {
        var without = Encodings.Without(Jpeg, 0xDB);
        string[] before = ["baseline.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg"];
        foreach (var file in before)
        {
            Fixture.Decode(file);
            Refused(without);
        }
        Parallel.For(0, 200, i =>
        {
            if (i % 2 == 0) Fixture.Decode(before[i / 2 % before.Length]);
            else Refused(without);
        });
    }

    [Fact]
    public void A_jpeg_without_huffman_tables_takes_the_standard_ones_always()
    {
        // Made with the standard tables, so that they suit it.
        var whole = Written.JpegWithStandardTables();
        var expected = ImageCodec.Decode(whole).Pixels;
        var without = Encodings.Without(whole, 0xC4);
        Assert.True(without.Length < whole.Length - 400);
        foreach (var file in (string[])["baseline.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg"])
        {
            Fixture.Decode(file);
            Assert.Equal(expected, ImageCodec.Decode(without).Pixels);
        }
        Parallel.For(0, 200, i =>
        {
            if (i % 2 == 0) Fixture.Decode("progressive.jpg");
            else Assert.Equal(expected, ImageCodec.Decode(without).Pixels);
        });
    }

    [Fact]
    public void A_refused_image_leaves_no_trace_in_the_next_ones_answer()
    {
        string[] files = ["rgb.png", "grey16.png", "baseline.jpg", "cmyk.jpg", "lossy.webp", "alpha.webp"];
        var expected = files.ToDictionary(file => file, file => Fixture.Decode(file).Pixels);
        byte[] broken = [.. Jpeg[..^40], 0xFF, 0xD9];
        var message = Refused(broken);
        Parallel.For(0, 300, i =>
        {
            var file = files[i % files.Length];
            if (i % 3 == 0) Assert.Equal(message, Assert.Throws<ImageFormatException>(() => ImageCodec.Decode(broken)).Message);
            Assert.Equal(expected[file], Fixture.Decode(file).Pixels);
        });
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(1, 2)]
    [InlineData(3, 4)]
    public void A_cut_jpeg_is_refused_even_with_stray_bytes_and_an_end_marker(int part, int of)
    {
        foreach (var file in (string[])["baseline.jpg", "grey.jpg", "turned.jpg", "cmyk.jpg", "progressive.jpg"])
        {
            var (segments, rest) = Encodings.Split(Fixture.Read(file));
            byte[] whole =
                [0xFF, 0xD8, .. segments[0], 0, 0, 0, 0, 0, 0, 0, 0, .. segments.Skip(1).SelectMany(segment => segment), .. rest];
            Assert.Equal(Fixture.Decode(file).Pixels, ImageCodec.Decode(whole).Pixels);
            Refused([.. whole[..^(rest.Length * (of - part) / of)], 0xFF, 0xD9]);
        }
    }

    /// <summary>On either side of the size up to which pixels are fetched at once.</summary>
    [Theory]
    [InlineData(200)]
    [InlineData(300)]
    public void A_cut_image_is_refused_whatever_its_size(int side)
    {
        byte[][] files = [Written.Progressive(side, side),
            ImageCodec.EncodePng(new(side, side, 3, [.. Enumerable.Range(0, 3 * side * side).Select(i => (byte)(i * i))]))];
        foreach (var encoded in files)
        {
            Assert.Equal((side, side), (ImageCodec.Decode(encoded).Width, ImageCodec.Decode(encoded).Height));
            Refused(encoded[..(encoded.Length / 2)]);
        }
    }

    [Fact]
    public void A_jpeg_of_very_many_scans_is_refused_and_one_of_a_few_is_not()
    {
        var encoded = Written.Progressive(4000, 4000);
        var decoded = ImageCodec.Decode(encoded);
        Assert.Equal((4000, 4000), (decoded.Width, decoded.Height));
        var (segments, rest) = Encodings.Split(encoded);
        // The last scan's refinement again and again, each of which goes over the whole picture.
        var last = rest.AsSpan(0, rest.Length - 2).LastIndexOf((ReadOnlySpan<byte>)[0xFF, 0xDA]);
        var scan = rest[last..^2];
        byte[] bomb = [.. encoded[..^2], .. Enumerable.Repeat(scan, 480).SelectMany(bytes => bytes), 0xFF, 0xD9];
        Assert.Contains("scans", Refused(bomb), StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_in_a_png_are_not_inflated()
    {
        var text = Encodings.Chunk("zTXt", [.. "k\0\0"u8, .. Encodings.Deflate(new byte[7_000_000])]);
        var encoded = Encodings.Png(4, 3, 2, 8, (x, y, c) => x + y + c, false, [.. Enumerable.Repeat(text, 2000)]);
        var watch = Stopwatch.StartNew();
        Assert.Equal(1, ImageCodec.Decode(encoded).Pixels[1]);
        Assert.True(watch.Elapsed.TotalSeconds < 5, $"It took {watch.Elapsed}."); // 14 GB if they were inflated
    }

    [Fact]
    public void A_picture_that_hides_behind_a_smaller_size_is_refused()
    {
        var encoded = Written.Picture("large.avif");
        var at = encoded.AsSpan().IndexOf("ispe"u8) + 8;
        Assert.Equal(2048, BinaryPrimitives.ReadInt32BigEndian(encoded.AsSpan(at)));
        BinaryPrimitives.WriteInt32BigEndian(encoded.AsSpan(at), 64);
        BinaryPrimitives.WriteInt32BigEndian(encoded.AsSpan(at + 4), 64);
        var limits = new ImageLimits { MaxPixels = 64 * 64 };
        try
        {
            var image = ImageCodec.Decode(encoded, limits);
            Assert.Equal((64, 64), (image.Width, image.Height));
        }
        catch (ImageFormatException fault)
        {
            Assert.Contains("AVIF", fault.Message, StringComparison.Ordinal);
        }
    }
}
