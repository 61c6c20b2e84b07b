using VaeFunctions.Imaging;

namespace VaeFunctions.Tests.Imaging;

public class ImageTests
{
    [Theory]
    [InlineData("lanczos-16x12.png")]
    [InlineData("lanczos-70x55.png")]
    public void Resizing_agrees_with_Pillows_Lanczos(string file)
    {
        var expected = Fixture.Decode(file);
        var soft =
            new Image(Fixture.Width, Fixture.Height, 3, [.. Fixture.Picture().Pixels.Select(value => (byte)(64 + value / 2))]);
        Assert.InRange(Fixture.Difference(expected, soft.Resize(expected.Width, expected.Height)).Largest, 0, 1);
    }

    [Fact]
    public void Grey_agrees_with_Pillows_luma() =>
        Assert.Equal(Fixture.Decode("grey.png").Pixels, Fixture.Picture().ToChannels(1).Pixels);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 500)]
    [InlineData(500, 1)]
    [InlineData(31, 33)]
    public void Resizing_keeps_a_plain_colour(int width, int height)
    {
        var plain = new Image(17, 9, 3, [.. Enumerable.Range(0, 17 * 9).SelectMany(_ => (byte[])[200, 3, 90])]);
        Assert.All(plain.Resize(width, height).Pixels.Chunk(3), pixel => Assert.Equal((byte[])[200, 3, 90], pixel));
    }

    [Fact]
    public void A_fine_chequerboard_shrinks_to_grey_instead_of_aliasing()
    {
        var board = new Image(64, 64, 1, [.. Enumerable.Range(0, 64 * 64).Select(i => (byte)((i / 64 + i) % 2 * 255))]);
        Assert.All(board.Resize(9, 9).Pixels, value => Assert.InRange(value, 118, 137));
    }

    [Theory]
    [InlineData(10, 10, 40, 40)]
    [InlineData(2, 1, 48, 24)]
    [InlineData(1, 2, 20, 40)]
    [InlineData(1000, 1, 48, 1)]
    public void A_centre_crop_is_the_largest_part_of_that_aspect(int width, int height, int cropWidth, int cropHeight)
    {
        var cropped = Fixture.Picture().CentreCropToAspect(width, height);
        Assert.Equal((cropWidth, cropHeight), (cropped.Width, cropped.Height));
        var centre = cropped.Pixels.AsSpan((cropHeight / 2 * cropWidth + cropWidth / 2) * 3, 3);
        Assert.InRange(centre[0], 5 * 23, 5 * 24); // red tells the column, green the row
        Assert.InRange(centre[1], 6 * 19, 6 * 20);
    }

    [Theory]
    [InlineData(32, 32, 3)]
    [InlineData(28, 28, 1)]
    [InlineData(5, 90, 3)]
    public void Fitting_gives_the_shape_asked_for(int height, int width, int channels)
    {
        var shape = new ImageShape(height, width, channels);
        Assert.Equal(shape, Fixture.Picture().FitTo(shape).Shape);
        Assert.Equal(shape, Fixture.Picture().ToChannels(1).FitTo(shape).Shape);
    }

    [Fact]
    public void An_image_that_fits_already_is_not_copied()
    {
        var picture = Fixture.Picture();
        Assert.Same(picture, picture.FitTo(picture.Shape));
    }

    [Fact]
    public void Grey_becomes_rgb_with_equal_channels() =>
        Assert.Equal((byte[])[7, 7, 7, 250, 250, 250], new Image(2, 1, 1, [7, 250]).ToChannels(3).Pixels);

    [Theory]
    [InlineData(2, 2, 3, 11)]
    [InlineData(2, 2, 2, 8)]
    [InlineData(0, 2, 1, 0)]
    public void Pixels_that_do_not_fill_the_shape_are_refused(int width, int height, int channels, int bytes) =>
        Assert.Throws<ArgumentException>(() => new Image(width, height, channels, new byte[bytes]));

    [Fact]
    public void A_grid_places_images_row_by_row_on_white()
    {
        Image Plain(byte value) => new(1, 1, 1, [value]);
        var grid = ImageGrid.Compose([Plain(1), Plain(2), Plain(3)], columns: 2, padding: 1, scale: 2);
        Assert.Equal(new ImageShape(7, 7, 1), grid.Shape);
        Assert.Equal(
            (byte[])
            [
                255, 255, 255, 255, 255, 255, 255,
                255, 1, 1, 255, 2, 2, 255,
                255, 1, 1, 255, 2, 2, 255,
                255, 255, 255, 255, 255, 255, 255,
                255, 3, 3, 255, 255, 255, 255,
                255, 3, 3, 255, 255, 255, 255,
                255, 255, 255, 255, 255, 255, 255,
            ],
            grid.Pixels);
    }

    [Fact]
    public void A_grid_mixes_grey_and_rgb_but_not_sizes()
    {
        Assert.Equal(3, ImageGrid.Compose([new Image(1, 1, 1, [9]), new Image(1, 1, 3, [1, 2, 3])], columns: 5).Channels);
        var error = Assert.Throws<ArgumentException>(
            () => ImageGrid.Compose([new Image(1, 1, 1, [9]), new Image(2, 1, 1, [1, 2])], columns: 5));
        Assert.Contains("1×1 and 2×1", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ImageGrid.Compose([], columns: 5));
    }
}
