using System.IO.Compression;
using VaeFunctions.Imaging;

namespace VaeFunctions.Tests;

[Collection(Serving.Name)]
public sealed class SampleTests(ServingFixture serving)
{
    const string Path = $"models/{ServingFixture.Model}/sample";

    [Fact]
    public async Task The_same_seed_gives_the_same_picture_and_another_seed_another()
    {
        var first = await serving.Http.SendAsync(HttpMethod.Post, Path, """{"count": 5, "seed": 7}""".Json())
            .BytesAsync("image/png");
        var second = await serving.Http.SendAsync(HttpMethod.Get, $"{Path}?count=5&seed=7").BytesAsync("image/png");
        var other = await serving.Http.SendAsync(HttpMethod.Get, $"{Path}?count=5&seed=8").BytesAsync("image/png");
        Assert.Equal(first, second);
        Assert.NotEqual(first, other);
    }

    [Fact]
    public async Task An_answer_names_model_version_and_a_seed_that_repeats_it()
    {
        using var response = await serving.Http.SendAsync(HttpMethod.Post, Path);
        Assert.Equal(ServingFixture.Model, response.Header("X-Model"));
        Assert.Equal("v1", response.Header("X-Version"));
        var again = await serving.Http.SendAsync(HttpMethod.Post, $"{Path}?seed={response.Header("X-Seed")}")
            .BytesAsync("image/png");
        Assert.Equal(await response.Content.ReadAsByteArrayAsync(), again);
    }

    [Fact]
    public async Task More_images_begin_with_the_same_ones_across_batches()
    {
        var few = await serving.Http.SendAsync(HttpMethod.Get, $"{Path}?count=3&seed=1", accept: "application/json").JsonAsync();
        var many = await serving.Http.SendAsync(HttpMethod.Get, $"{Path}?count=100&seed=1", accept: "application/json")
            .JsonAsync();
        Assert.Equal(100, many["images"]!.AsArray().Count);
        for (var i = 0; i < 3; i++)
            Assert.Equal(few["images"]![i]!.ToJsonString(), many["images"]![i]!.ToJsonString());
    }

    [Fact]
    public async Task Json_has_a_latent_and_a_picture_that_belong_together()
    {
        var answer = await serving.Http.SendAsync(
            HttpMethod.Post, Path, """{"count": 1, "seed": 3, "temperature": 0.1}""".Json(), "application/json").JsonAsync();
        var latent = answer["images"]![0]!["latent"]!.AsArray().Select(value => (float)value!).ToArray();
        var image = ImageCodec.Decode(Convert.FromBase64String((string)answer["images"]![0]!["png"]!));
        Assert.Equal(TinyModel.Latents, latent.Length);
        // The tiny decoder: 255 · (latent + ½), rounded.
        Assert.Equal((byte)MathF.Round(255 * (latent[0] + 0.5f)), image.Pixels[0]);
    }

    [Fact]
    public async Task Temperature_zero_is_the_prior_mean()
    {
        var image = await serving.Http.SendAsync(HttpMethod.Get, $"{Path}?count=1&temperature=0").PngAsync();
        Assert.Contains((byte)128, image.Pixels); // 255 · ½ = 127.5, halves to even
        Assert.All(image.Pixels, value => Assert.True(value is 128 or 255)); // the picture and the paper around it
    }

    [Fact]
    public async Task A_zip_holds_one_picture_each()
    {
        var bytes = await serving.Http.SendAsync(HttpMethod.Get, $"{Path}?count=3&seed=1", accept: "application/zip")
            .BytesAsync("application/zip");
        using var zip = new ZipArchive(new MemoryStream(bytes));
        Assert.Equal(["001.png", "002.png", "003.png"], zip.Entries.Select(entry => entry.Name));
        using var entry = zip.Entries[0].Open();
        using var png = new MemoryStream();
        await entry.CopyToAsync(png);
        Assert.Equal(TinyModel.Shape, ImageCodec.Decode(png.ToArray()).Shape);
    }

    [Theory]
    [InlineData("*/*", "image/png")]
    [InlineData("image/*", "image/png")]
    [InlineData("text/html, application/xhtml+xml, */*;q=0.8", "image/png")]
    [InlineData("application/json;q=0.9, image/png;q=0.5", "application/json")]
    [InlineData("application/*, image/png;q=0", "application/json")]
    public async Task Accept_chooses_the_form(string accept, string type) =>
        await serving.Http.SendAsync(HttpMethod.Get, $"{Path}?count=1", accept: accept).BytesAsync(type);
}
