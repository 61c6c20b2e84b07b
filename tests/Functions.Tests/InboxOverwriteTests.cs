using System.Text.Json.Nodes;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;
using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

/// <summary>A name of the inbox whose content is replaced while the function is at work on the one before.</summary>
public sealed class InboxOverwriteTests : IAsyncLifetime, IDisposable
{
    static readonly byte[] First = Pictures.Bands(10, 60, 130, 250), Second = Pictures.Bands(250, 130, 60, 10);

    readonly AzuriteFixture azurite = new();
    readonly ServingMetrics metrics = new(new Meters());
    readonly IOptions<ServingOptions> options = Options.Create(new ServingOptions());
    AzureBlobStore store = null!;
    ModelProvider? models;
    BlobClient blob = null!;

    public async Task InitializeAsync()
    {
        await azurite.InitializeAsync();
        var service = new BlobServiceClient(azurite.ConnectionString);
        store = new AzureBlobStore(service);
        var registry = new ModelRegistry(store);
        await TinyModel.ServeAsync(registry, "tiny", "v1");
        models = new ModelProvider(registry, options, metrics, NullLogger<ModelProvider>.Instance);
        blob = service.GetBlobContainerClient("inbox").GetBlobClient("tiny/a.png");
    }

    public Task DisposeAsync() => azurite.DisposeAsync();

    public void Dispose()
    {
        models?.Dispose();
        metrics.Dispose();
    }

    [SkippableTheory]
    [InlineData("results/tiny/a.png.png")]
    [InlineData("results/tiny/a.png.json")]
    public async Task A_slow_answer_to_what_was_replaced_gives_way_to_that_of_the_new_image(string slow)
    {
        await RunWhileReplacedAsync(Second, before: slow);
        var json = JsonNode.Parse((await store.TryReadAsync("results/tiny/a.png.json", 1 << 20))!.Content)!;
        Assert.Equal(await ETagAsync(), (string)json["sourceETag"]!);
        var png = (await store.TryReadAsync("results/tiny/a.png.png", 1 << 20))!.Content;
        Assert.Equal(ImageCodec.Decode(Second).Pixels, ImageCodec.Decode(png).Pixels);
        Assert.Equal(0, await store.ListAsync("rejected/tiny/").CountAsync());
    }

    [SkippableFact]
    public async Task A_slow_answer_to_what_was_replaced_gives_way_to_the_rejection_of_what_is_there()
    {
        await RunWhileReplacedAsync(First[..40], before: "results/tiny/a.png.json");
        Assert.Equal(0, await store.ListAsync("results/tiny/").CountAsync());
        Assert.Equal(["rejected/tiny/a.png", "rejected/tiny/a.png.json"],
            await store.ListAsync("rejected/tiny/").Select(entry => entry.Path).ToListAsync());
        var json = JsonNode.Parse((await store.TryReadAsync("rejected/tiny/a.png.json", 1 << 20))!.Content)!;
        Assert.Equal(await ETagAsync(), (string)json["sourceETag"]!);
    }

    [SkippableFact]
    public async Task An_image_that_is_deleted_while_it_is_answered_keeps_its_answer()
    {
        await store.WriteAsync("inbox/tiny/a.png", new(First));
        await FunctionOn(new Held(store, "results/tiny/a.png.json", async () => await blob.DeleteAsync())).Run(blob, default);
        Assert.NotNull(await store.TryReadAsync("results/tiny/a.png.json", 1 << 20));
    }

    async Task<string> ETagAsync() => (await blob.GetPropertiesAsync()).Value.ETag.ToString("H").Trim('"');

    /// <summary>Answers the first image, and replaces it before one of its results is written; what replaces it is answered as
    /// a whole meanwhile.</summary>
    async Task RunWhileReplacedAsync(byte[] replacement, string before)
    {
        await store.WriteAsync("inbox/tiny/a.png", new(First));
        await FunctionOn(new Held(store, before, async () =>
        {
            await store.WriteAsync("inbox/tiny/a.png", new(replacement));
            await FunctionOn(store).Run(blob, default);
        })).Run(blob, default);
    }

    InboxFunction FunctionOn(IBlobStore on)
    {
        var queue = new JobQueue(() => new(azurite.ConnectionString));
        return new(models!, new(options, on), new(on), new(new(on), queue, on, options), on, options,
            NullLogger<InboxFunction>.Instance);
    }

    /// <summary>Does something else before it writes a path for the first time.</summary>
    sealed class Held(IBlobStore store, string path, Func<Task> meanwhile) : PassingStore(store)
    {
        bool done;

        public override async Task<string> WriteAsync(
            string written, BinaryData content, WriteCondition condition, CancellationToken cancellation)
        {
            if (written == path && !done)
            {
                done = true;
                await meanwhile();
            }
            return await base.WriteAsync(written, content, condition, cancellation);
        }
    }
}
