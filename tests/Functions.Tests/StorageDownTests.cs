using System.Text.RegularExpressions;
using Azure.Storage.Blobs;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>The program reaches its storage through a gate that the test closes.</summary>
public sealed class StorageDownTests : IAsyncLifetime
{
    readonly AzuriteFixture azurite = new();

    public Task InitializeAsync() => azurite.InitializeAsync();

    public Task DisposeAsync() => azurite.DisposeAsync();

    [SkippableFact]
    public async Task Storage_that_is_down_is_said_and_survived()
    {
        var store = new AzureBlobStore(new BlobServiceClient(azurite.ConnectionString));
        var registry = new ModelRegistry(store);
        await TinyModel.ServeAsync(registry, "tiny", "v1");
        await TinyModel.ServeAsync(registry, "other", "v1");

        var port = Regex.Match(azurite.ConnectionString, @"127\.0\.0\.1:(\d+)").Groups[1].Value;
        using var gate = new TcpGate(int.Parse(port, System.Globalization.CultureInfo.InvariantCulture));
        gate.Close();
        await using var app = await FunctionsApp.StartAsync(
            azurite.ConnectionString.Replace($":{port}", $":{gate.Port}", StringComparison.Ordinal));

        // Down at the start: HTTP serves, is not ready, and says why.
        Assert.Equal("live", (string)(await app.Http.SendAsync(HttpMethod.Get, "health/live").JsonAsync())["status"]!);
        using (var ready = await app.Http.GetAsync("health/ready"))
            Assert.Equal(503, (int)ready.StatusCode);
        using (var models = await app.Http.GetAsync("models"))
        {
            Assert.Equal("5", models.Headers.GetValues("Retry-After").Single());
            Assert.Contains("storage", await Task.FromResult(models).ProblemAsync(503), StringComparison.Ordinal);
        }

        gate.Open();
        await app.ReadyAsync();
        await app.Http.SendAsync(HttpMethod.Get, "models/tiny/sample?count=1").PngAsync();

        // Down later: what is loaded serves on; what needs the storage says so.
        gate.Close();
        await app.Http.SendAsync(HttpMethod.Get, "models/tiny/sample?count=1").PngAsync();
        await app.Http.SendAsync(HttpMethod.Get, "models").ProblemAsync(503);
        await TinyModel.ServeAsync(registry, "tiny", "v2");
        await store.WriteAsync("inbox/tiny/a.png", new BinaryData(Pictures.Bands(1, 2, 3, 4)));

        gate.Open();
        await Eventually.Async(async () =>
            Assert.NotNull(await store.TryReadAsync("results/tiny/a.png.json", 1 << 20)), seconds: 40);
        await Eventually.Async(async () =>
        {
            using var response = await app.Http.GetAsync("models/tiny/sample?count=1");
            Assert.Equal("v2", response.Header("X-Version"));
        }, seconds: 40);
    }
}
