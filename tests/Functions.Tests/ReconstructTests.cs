using System.IO.Compression;
using System.Text.Json;
using VaeFunctions.Imaging;

namespace VaeFunctions.Tests;

[Collection(Serving.Name)]
public sealed class ReconstructTests(ServingFixture serving)
{
    const string Path = $"models/{ServingFixture.Model}/reconstruct";

    static readonly byte[] Bands = Pictures.Bands(10, 60, 130, 250);

    [Fact]
    public async Task One_raw_image_gives_its_reconstruction()
    {
        var image = await serving.Http.SendAsync(HttpMethod.Post, Path, Bands.Body("image/png")).PngAsync();
        Assert.Equal(ImageCodec.Decode(Bands).Pixels, image.Pixels);
    }

    [Theory]
    [InlineData("image/jpeg")]
    [InlineData("image/webp")]
    public async Task An_image_of_another_size_is_fitted_and_the_answer_says_so(string type)
    {
        var body = (type == "image/jpeg" ? Pictures.Jpeg : Pictures.WebP).Body(type);
        using var response = await serving.Http.SendAsync(HttpMethod.Post, Path, body);
        Assert.Equal("20x12 -> 8x8", response.Header("X-Resized"));
        Assert.Equal(TinyModel.Shape, (await Task.FromResult(response).PngAsync()).Shape);
    }

    [Theory]
    [InlineData(ImageFit.Pad, 0, 255, 255, 0)]
    [InlineData(ImageFit.Crop, 255, 255, 255, 255)]
    [InlineData(ImageFit.Stretch, 255, 255, 255, 255)]
    [InlineData(ImageFit.Strict, 255, 255, 255, 255)] // strict of its training images; people's are cropped
    public async Task Images_are_fitted_as_those_that_the_model_was_trained_on(ImageFit fit, params int[] bands)
    {
        var model = $"fit-{fit}".ToLowerInvariant();
        await TinyModel.ServeAsync(serving.Registry, model, "v1", change: manifest => manifest with { Fit = fit });
        var wide = ImageCodec.EncodePng(new Image(new(8, 16, 3), Enumerable.Repeat((byte)255, 8 * 16 * 3).ToArray()));
        var answer = serving.Http.SendAsync(HttpMethod.Post, $"models/{model}/reconstruct", wide.Body("image/png"));
        var image = await answer.PngAsync();
        Assert.Equal(bands, image.Pixels.Chunk(image.Pixels.Length / 4).Select(band => (int)band[0]));
    }

    [Theory]
    [InlineData("image/jpg")]
    [InlineData("image/pjpeg")]
    [InlineData("image/gif")]
    [InlineData("application/octet-stream")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    [InlineData(null)]
    public async Task An_image_is_known_by_its_content_whatever_the_media_type_says(string? type)
    {
        var body = new ByteArrayContent(Bands);
        if (type is not null)
            body.Headers.ContentType = new(type);
        var image = await serving.Http.SendAsync(HttpMethod.Post, Path, body).PngAsync();
        Assert.Equal(ImageCodec.Decode(Bands).Pixels, image.Pixels);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("image/png")]
    public async Task A_refusal_for_latents_that_are_not_finite_names_the_version(string accept)
    {
        await TinyModel.ServeAsync(serving.Registry, "exploding", "v7", TinyModel.OverflowingEncoder());
        var form = HttpExtensions.Form(Pictures.Bands(0, 0, 0, 0), Pictures.Bands(255, 255, 255, 255));
        var detail = await serving.Http.SendAsync(HttpMethod.Post, "models/exploding/reconstruct", form, accept)
            .ProblemAsync(422);
        Assert.Contains("exploding, version v7", detail, StringComparison.Ordinal);
        Assert.Contains("image 2", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_with_several_images_gives_a_sheet_of_pairs()
    {
        using var response = await serving.Http.SendAsync(
            HttpMethod.Post, Path, HttpExtensions.Form(Bands, Pictures.Grey(16, 8)));
        Assert.Equal("2: 16x8 -> 8x8", response.Header("X-Resized"));
        var sheet = await Task.FromResult(response).PngAsync();
        // Two pairs, one above the other: 2 · 8 pixels and 3 paddings of 2 in each direction.
        Assert.Equal((22, 22), (sheet.Width, sheet.Height));
    }

    [Fact]
    public async Task Json_in_and_json_out_carry_several_images()
    {
        var body = JsonSerializer.Serialize(new { images = new[] { Bands, Pictures.Bands(0, 0, 0, 0), Pictures.Jpeg } });
        var answer = await serving.Http.SendAsync(HttpMethod.Post, Path, body.Json(), "application/json").JsonAsync();
        var images = answer["images"]!.AsArray();
        Assert.Equal(3, images.Count);
        Assert.Equal(60 / 255f - 0.5f, (float)images[0]!["mean"]![1]!, 1e-5);
        Assert.Equal(-2, (float)images[0]!["logVariance"]![0]!);
        Assert.Equal(0, (double)images[0]!["error"]!, 1e-9);
        Assert.Equal([false, false, true], images.Select(image => (bool)image!["resized"]!));
        Assert.Equal("20x12", (string)images[2]!["originalSize"]!);
        Assert.Equal(Bands, ImageCodec.EncodePng(ImageCodec.Decode(Convert.FromBase64String((string)images[0]!["png"]!))));
    }

    [Fact]
    public async Task A_zip_has_the_reconstructions_in_order()
    {
        var bytes = await serving.Http.SendAsync(
            HttpMethod.Post, Path, HttpExtensions.Form(Bands, Pictures.Bands(1, 1, 1, 1)), "application/zip")
            .BytesAsync("application/zip");
        using var zip = new ZipArchive(new MemoryStream(bytes));
        Assert.Equal(2, zip.Entries.Count);
    }
}
