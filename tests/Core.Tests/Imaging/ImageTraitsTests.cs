using VaeFunctions.Imaging;

namespace VaeFunctions.Tests.Imaging;

public sealed class ImageTraitsTests
{
    [Fact]
    public void Sharpness_is_the_variance_of_the_laplacian_inside_the_border()
    {
        // One pixel of 10 in the middle of 5×5: of the nine places inside, one has 40, its four neighbours −10, the others 0.
        // Mean 0; variance (1600 + 4 · 100) / 9.
        var dot = new byte[25];
        dot[12] = 10;
        Assert.Equal(2000 / 9.0, ImageTraits.VarianceOfLaplacian(new(5, 5, 1, dot)), 9);
        Assert.Equal(Math.Log(1 + 2000 / 9.0), ImageTraits.Of(new(5, 5, 1, dot))[ImageTraits.Sharpness], 9);
        Assert.Equal(0, ImageTraits.VarianceOfLaplacian(new(5, 5, 1, [.. Enumerable.Repeat((byte)77, 25)])), 9);
        // A slope has no curvature.
        byte[] slope = [.. Enumerable.Range(0, 25).Select(i => (byte)(i % 5 * 20))];
        Assert.Equal(0, ImageTraits.VarianceOfLaplacian(new(5, 5, 1, slope)), 9);
        Assert.Equal(0, ImageTraits.VarianceOfLaplacian(new(2, 2, 1, [0, 255, 255, 0])));
    }

    [Fact]
    public void Contrast_is_the_deviation_of_all_values_and_colour_the_range_of_a_pixels_channels()
    {
        // 10, 20, 30, 40, 30, 20: mean 25, squared deviations 550 in all. Either pixel's channels differ by 20.
        var traits = ImageTraits.Of(new(2, 1, 3, [10, 20, 30, 40, 30, 20]));
        Assert.Equal(Math.Log(1 + Math.Sqrt(550 / 6.0)), traits[ImageTraits.Contrast], 9);
        Assert.Equal(Math.Log(21), traits[ImageTraits.Colour], 9);
    }

    [Fact]
    public void A_grey_image_has_no_colour_whether_it_has_three_channels_or_one()
    {
        Assert.Equal(0, ImageTraits.Of(new(2, 1, 3, [10, 10, 10, 40, 40, 40]))[ImageTraits.Colour]);
        Assert.DoesNotContain(ImageTraits.Colour, ImageTraits.Of(new(2, 1, 1, [10, 40])).Keys);
    }
}
