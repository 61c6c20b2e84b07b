using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>A storage of its own, since the host is stopped in the middle.</summary>
public sealed class InboxRestartTests : IAsyncLifetime
{
    const int Count = 300;

    readonly AzuriteFixture azurite = new();

    public Task InitializeAsync() => azurite.InitializeAsync();

    public Task DisposeAsync() => azurite.DisposeAsync();

    [SkippableFact]
    public async Task Hundreds_of_images_are_processed_once_each_across_a_restart()
    {
        var store = new AzureBlobStore(new BlobServiceClient(azurite.ConnectionString));
        await TinyModel.ServeAsync(new ModelRegistry(store), "tiny", "v1");
        await Parallel.ForEachAsync(Enumerable.Range(0, Count), async (i, cancellation) =>
            await store.WriteAsync(
                $"inbox/tiny/{i:0000}.png", new BinaryData(Pictures.Bands((byte)i, 0, 0, 0)), cancellation: cancellation));

        await using (var first = await FunctionsApp.StartAsync(azurite.ConnectionString))
        {
            await Eventually.Async(async () => Assert.True((await ResultsAsync(store)).Count > 40));
        }
        var before = await ResultsAsync(store);
        Assert.InRange(before.Count, 40, Count - 1); // otherwise the restart was not in the middle

        await using var second = await FunctionsApp.StartAsync(azurite.ConnectionString);
        await Eventually.Async(async () => Assert.Equal(Count, (await ResultsAsync(store)).Count), seconds: 60);
        await Task.Delay(TimeSpan.FromSeconds(2)); // whatever came twice would be written again now
        var after = await ResultsAsync(store);
        Assert.Equal(Count, after.Count);
        // A second write would have given a new ETag.
        Assert.All(before, result => Assert.Equal(result.Value, after[result.Key]));
        Assert.Equal(0, await store.ListAsync("rejected/").CountAsync());
    }

    public static TheoryData<string, Func<BlobServiceClient, AzureBlobStore, Task>> Faults => new()
    {
        { "a model that cannot be used", (_, store) => store.WriteAsync("models/tiny/v1/decoder.onnx", new("no graph")) },
        { "a rejection that cannot be written", async (service, store) =>
        {
            await store.WriteAsync("rejected/tiny/a.png", new("somebody's"));
            await service.GetBlobContainerClient("rejected").GetBlobClient("tiny/a.png").GetBlobLeaseClient()
                .AcquireAsync(BlobLeaseClient.InfiniteLeaseDuration);
        } },
    };

    /// <summary>Azure's host has no pause of its own, and would have a blob tried five times within a second.</summary>
    [SkippableTheory]
    [MemberData(nameof(Faults))]
    public async Task A_blob_that_fails_is_held_as_the_setting_says_before_the_next_try(
        string what, Func<BlobServiceClient, AzureBlobStore, Task> breakAsync)
    {
        var service = new BlobServiceClient(azurite.ConnectionString);
        var store = new AzureBlobStore(service);
        await TinyModel.ServeAsync(new ModelRegistry(store), "tiny", "v1");
        await breakAsync(service, store);
        await using var app = await FunctionsApp.StartAsync(azurite.ConnectionString, ("Serving__InboxPauseSeconds", "4"));
        var dropped = DateTime.UtcNow;

        await store.WriteAsync("inbox/tiny/a.png",
            new BinaryData(
                what.Contains("model", StringComparison.Ordinal) ? Pictures.Bands(1, 2, 3, 4) : "no image"u8.ToArray()));

        await Eventually.Async(() =>
        {
            Assert.Contains("Executed 'Inbox' (Failed", app.Log, StringComparison.Ordinal);
            return Task.CompletedTask;
        });
        Assert.True(DateTime.UtcNow - dropped > TimeSpan.FromSeconds(4), "It was not held.");
    }

    static async Task<Dictionary<string, string>> ResultsAsync(AzureBlobStore store) =>
        await store.ListAsync("results/tiny/").Where(blob => blob.Path.EndsWith(".json", StringComparison.Ordinal))
            .ToDictionaryAsync(blob => blob.Path, blob => blob.ETag);
}
