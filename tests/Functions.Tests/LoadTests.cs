using System.Text.Json;
using Azure.Storage.Blobs;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>More than the server takes, and what it says of its work.</summary>
public sealed class LoadTests : IAsyncLifetime
{
    readonly AzuriteFixture azurite = new();
    AzureBlobStore store = null!;

    public async Task InitializeAsync()
    {
        await azurite.InitializeAsync();
        store = new AzureBlobStore(new BlobServiceClient(azurite.ConnectionString));
        await TinyModel.ServeAsync(new ModelRegistry(store), "tiny", "v1");
    }

    public Task DisposeAsync() => azurite.DisposeAsync();

    [SkippableFact]
    public async Task Beyond_the_queue_requests_get_503_and_the_others_are_answered()
    {
        await using var app = await FunctionsApp.StartAsync(
            azurite.ConnectionString, ("Serving__MaxQueuedImages", "1"), ("Serving__LargestBatch", "1"));
        await app.ReadyAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => app.Http.GetAsync("models/tiny/sample?count=256")));

        Assert.Contains(answers, answer => answer.IsSuccessStatusCode);
        var refused = answers.Where(answer => !answer.IsSuccessStatusCode).ToArray();
        Assert.NotEmpty(refused);
        foreach (var answer in refused)
        {
            Assert.Equal("1", answer.Header("Retry-After"));
            Assert.Equal("tiny", answer.Header("X-Model")); // which metrics count it by
            Assert.Contains("of at most 1; try again in a moment", await Task.FromResult(answer)
                .ProblemAsync(503), StringComparison.Ordinal);
        }
        await app.Http.SendAsync(HttpMethod.Get, "models/tiny/sample?count=1").PngAsync();
    }

    [SkippableFact]
    public async Task The_log_names_models_and_blobs_and_never_shows_what_images_hold_or_a_key()
    {
        await using var app = await FunctionsApp.StartAsync(
            azurite.ConnectionString, ("Logging__LogLevel__Default", "Trace"), ("Serving__BlobContainers", "inbox"));
        await app.ReadyAsync();
        var image = Pictures.Bands(10, 90, 170, 250);
        var inBase64 = Convert.ToBase64String(image);
        await app.Http.SendAsync(HttpMethod.Post, "models/tiny/reconstruct", image.Body("image/png")).PngAsync();
        await app.Http.SendAsync(HttpMethod.Post, "models/tiny/encode",
            JsonSerializer.Serialize(new { images = new[] { inBase64 } }).Json()).JsonAsync();
        await app.Http.SendAsync(HttpMethod.Post, "models/tiny/encode",
            JsonSerializer.Serialize(new { images = new[] { inBase64[..(inBase64.Length / 8 * 4)] } }).Json()).ProblemAsync(400);
        // the one error of a server's own that can be had
        await store.WriteAsync("models/broken/current.json", new("no pointer"));
        await app.Http.SendAsync(HttpMethod.Post, "models/broken/reconstruct", image.Body("image/png")).ProblemAsync(503);
        await store.WriteAsync("inbox/tiny/good.png", new(image));
        await store.WriteAsync("inbox/tiny/cut.png", new(image[..(image.Length / 2)]));
        await Eventually.Async(async () =>
        {
            Assert.NotNull(await store.TryReadAsync("results/tiny/good.png.json", 1 << 20));
            Assert.NotNull(await store.TryReadAsync("rejected/tiny/cut.png.json", 1 << 20));
        });

        Assert.Contains("inbox/tiny/cut.png is rejected", app.Log, StringComparison.Ordinal);
        Assert.Contains("503", app.Log, StringComparison.Ordinal);
        var pixels = ImageCodec.Decode(image).Pixels;
        foreach (var secret in new[] { inBase64[40..80], Convert.ToHexString(image)[80..120], string.Join(", ", pixels.Take(8)) })
            Assert.DoesNotContain(secret, app.Log, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(azurite.ConnectionString.Split("AccountKey=")[1].Split(';')[0], app.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("SharedKey", app.Log, StringComparison.OrdinalIgnoreCase);
        var latent = JsonSerializer.Serialize(10 / 255f - 0.5f)[..7];
        Assert.DoesNotContain(latent, app.Log, StringComparison.Ordinal);
    }
}
