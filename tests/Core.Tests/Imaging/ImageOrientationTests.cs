using VaeFunctions.Imaging;

namespace VaeFunctions.Tests.Imaging;

/// <summary>Pictures that say how the camera was held are turned upright, wherever and however they say it.</summary>
public class ImageOrientationTests
{
    /// <summary>The picture as a camera held like this stores it: EXIF 2.3, 4.6.4, tag 0x0112.</summary>
    static Image Stored(Image seen, int orientation)
    {
        var (width, height) = orientation >= 5 ? (seen.Height, seen.Width) : (seen.Width, seen.Height);
        var pixels = new byte[seen.Pixels.Length];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (column, row) = orientation switch
                {
                    1 => (x, y),
                    2 => (width - 1 - x, y),
                    3 => (width - 1 - x, height - 1 - y),
                    4 => (x, height - 1 - y),
                    5 => (y, x),
                    6 => (seen.Width - 1 - y, x),
                    7 => (seen.Width - 1 - y, seen.Height - 1 - x),
                    _ => (y, seen.Height - 1 - x),
                };
                seen.Pixels.AsSpan(3 * (row * seen.Width + column), 3).CopyTo(pixels.AsSpan(3 * (y * width + x)));
            }
        }
        return new Image(width, height, 3, pixels);
    }

    public static TheoryData<int> Orientations => [1, 2, 3, 4, 5, 6, 7, 8];

    [Theory]
    [MemberData(nameof(Orientations))]
    public void A_png_is_turned(int orientation)
    {
        var stored = Stored(Fixture.Picture(), orientation);
        var encoded = Encodings.Png(stored.Width, stored.Height, 2, 8, (x, y, c) => stored.Pixels[3 * (y * stored.Width + x) + c],
            chunks: Encodings.Chunk("eXIf", Encodings.Exif((byte)orientation)));
        Assert.Equal(Fixture.Picture().Pixels, ImageCodec.Decode(encoded).Pixels);
    }

    [Theory]
    [MemberData(nameof(Orientations))]
    public void A_webp_is_turned(int orientation)
    {
        var stored = Stored(Fixture.Picture(), orientation);
        var encoded =
            Encodings.WebPWithExif(Written.LosslessWebP(stored), stored.Width, stored.Height, Encodings.Exif((byte)orientation));
        Assert.Equal(Fixture.Picture().Pixels, ImageCodec.Decode(encoded).Pixels);
    }

    [Theory]
    [MemberData(nameof(Orientations))]
    public void A_jpeg_is_turned_when_the_number_is_long_or_behind_fill_bytes(int orientation)
    {
        var stored = Written.Jpeg(Stored(Fixture.Picture(), orientation));
        foreach (byte type in (byte[])[3, 4])
        {
            var exif = Encodings.Segment(0xE1, [.. "Exif\0\0"u8, .. Encodings.Exif((byte)orientation, type)]);
            foreach (byte[] fill in (byte[][])[[], [0xFF], [0xFF, 0xFF, 0xFF]])
            {
                var difference =
                    Fixture.Difference(Fixture.Picture(), ImageCodec.Decode(Encodings.Insert(stored, [.. fill, .. exif])));
                Assert.True(difference.Mean < 4, $"Type {type} behind {fill.Length} fill bytes differs by {difference}.");
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    [InlineData(255)]
    public void A_senseless_orientation_is_none(byte orientation)
    {
        var encoded =
            Encodings.Png(4, 3, 0, 8, (x, y, _) => 10 * x + y, chunks: Encodings.Chunk("eXIf", Encodings.Exif(orientation)));
        var image = ImageCodec.Decode(encoded);
        Assert.Equal((4, 3, 10), (image.Width, image.Height, image.Pixels[1]));
    }

    [Fact]
    public void A_turned_picture_is_fitted_by_the_size_it_is_seen_in()
    {
        var stored = Written.Jpeg(Stored(Written.Large(), 6));
        var encoded = Encodings.Insert(stored, Encodings.Segment(0xE1, [.. "Exif\0\0"u8, .. Encodings.Exif(6)]));
        var fitted = ImageCodec.DecodeTo(new(new ImageShape(40, 48, 3)), encoded);
        Assert.Equal((Written.Large().Width, Written.Large().Height), (fitted.OriginalWidth, fitted.OriginalHeight));
        Assert.InRange(Fixture.Difference(Written.Large().FitTo(new ImageShape(40, 48, 3)), fitted.Image).Mean, 0, 2);
    }
}
