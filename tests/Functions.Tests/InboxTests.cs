using System.Text;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

[Collection(Serving.Name)]
public sealed class InboxTests(ServingFixture serving)
{
    static readonly byte[] Bands = Pictures.Bands(10, 60, 130, 250);

    [Fact]
    public async Task A_dropped_image_gets_its_reconstruction_and_its_latent()
    {
        await DropAsync("tiny/some/folder/a.png", Bands);
        var json = JsonNode.Parse(await ReadAsync("results/tiny/some/folder/a.png.json"))!;
        Assert.Equal("v1", (string)json["version"]!);
        Assert.Equal(130 / 255f - 0.5f, (float)json["latent"]![2]!, 1e-5);
        Assert.False((bool)json["resized"]!);
        Assert.Equal(0, (double)json["error"]!, 1e-9);
        Assert.Equal(-2, (float)json["logVariance"]!["mean"]!);
        var png = await ReadAsync("results/tiny/some/folder/a.png.png");
        Assert.Equal(ImageCodec.Decode(Bands).Pixels, ImageCodec.Decode(png).Pixels);
        Assert.True(await Inbox("tiny/some/folder/a.png").ExistsAsync(), "the inbox must only be read");
    }

    [Fact]
    public async Task A_repeated_delivery_gives_identical_results()
    {
        await DropAsync("tiny/again.jpg", Pictures.Jpeg);
        var (png, json) = (await ReadAsync("results/tiny/again.jpg.png"), await ReadAsync("results/tiny/again.jpg.json"));
        await serving.Registry.Store.DeleteAsync("results/tiny/again.jpg.json");
        // The same bytes again are a new delivery: the blob has a new ETag, and nothing else may differ.
        await DropAsync("tiny/again.jpg", Pictures.Jpeg);
        var repeated = await ReadAsync("results/tiny/again.jpg.json");
        Assert.Equal(png, await ReadAsync("results/tiny/again.jpg.png"));
        Assert.Equal(WithoutETag(json), WithoutETag(repeated));
        Assert.Equal("20x12", (string)JsonNode.Parse(repeated)!["originalSize"]!);

        static string WithoutETag(byte[] json)
        {
            var node = JsonNode.Parse(json)!.AsObject();
            Assert.True(node.Remove("sourceETag"));
            return node.ToJsonString();
        }
    }

    public static TheoryData<string, byte[], string> Bad => new()
    {
        { "tiny/text.png", "hello"u8.ToArray(), "PNG, JPEG, WebP" },
        { "tiny/empty.png", [], "empty" },
        { "tiny/archive.zip", "PK\u0003\u0004 and more"u8.ToArray(), "end of a ZIP" },
        { "tiny/truncated.jpg", Pictures.Jpeg[..300], "JPEG" },
        { "tiny/huge.png", Pictures.Huge(60_000, 60_000), "60000x60000" },
        { "tiny/large.png", new byte[1_000_001], "1000001 bytes" },
        { "absent/a.png", Bands, "no model \"absent\"" },
        { "folderless.png", Bands, "inbox/MODEL/" },
    };

    [Theory]
    [MemberData(nameof(Bad), DisableDiscoveryEnumeration = true)] // else the megabyte is written into the test's name
    public async Task What_cannot_be_processed_is_kept_with_the_reason(string name, byte[] content, string reason)
    {
        await DropAsync(name, content);
        var json = JsonNode.Parse(await ReadAsync($"rejected/{name}.json"))!;
        Assert.Contains(reason, (string)json["reason"]!, StringComparison.Ordinal);
        Assert.Equal(content, await ReadAsync($"rejected/{name}"));
        Assert.True(await Inbox(name).ExistsAsync(), "the inbox must only be read");
        Assert.Null(await serving.Registry.Store.TryReadAsync($"results/{name}.json", 1 << 20));
    }

    [Fact]
    public async Task What_systems_leave_in_an_inbox_is_passed_over()
    {
        string[] litter = ["tiny/.DS_Store", "tiny/@eaDir/a.png", "tiny/__MACOSX/._a.png"];
        foreach (var name in litter)
            await Inbox(name).UploadAsync(new BinaryData(Bands[..40]));
        await DropAsync("tiny/after-the-litter.png", Bands);
        await ReadAsync("results/tiny/after-the-litter.png.json");
        foreach (var name in litter)
        {
            await Eventually.Async(() =>
            {
                Assert.Contains($"inbox/{name} is passed over", serving.Log, StringComparison.Ordinal);
                return Task.CompletedTask;
            });
            Assert.False(await serving.Blobs.GetBlobContainerClient("rejected").GetBlobClient($"{name}.json").ExistsAsync());
        }
    }

    [Fact]
    public async Task A_name_has_a_result_or_a_rejection_whichever_its_last_content_earned()
    {
        string[] result = ["results/tiny/mended.png.json", "results/tiny/mended.png.png"],
            rejection = ["rejected/tiny/mended.png", "rejected/tiny/mended.png.json"];
        await DropAsync("tiny/mended.png", Bands[..40]);
        await ReadAsync("rejected/tiny/mended.png.json");
        await DropAsync("tiny/mended.png", Bands);
        await ReadAsync("results/tiny/mended.png.json");
        Assert.Equal(result, await AnswersAsync());
        await DropAsync("tiny/mended.png", Bands[..50]);
        await ReadAsync("rejected/tiny/mended.png.json");
        Assert.Equal(rejection, await AnswersAsync());

        async Task<List<string>> AnswersAsync() =>
        [
            .. await serving.Registry.Store.ListAsync("rejected/tiny/mended").Select(blob => blob.Path).ToListAsync(),
            .. await serving.Registry.Store.ListAsync("results/tiny/mended").Select(blob => blob.Path).ToListAsync(),
        ];
    }

    [Fact]
    public async Task A_rejected_blob_named_like_the_reason_of_another_overwrites_nothing()
    {
        string[] names = ["tiny/clash.png", "tiny/clash.png.json", "tiny/clash.png.json~"];
        foreach (var name in names)
            await DropAsync(name, Encoding.UTF8.GetBytes($"the content of {name}"));
        foreach (var name in names)
        {
            var json = JsonNode.Parse(await ReadAsync($"rejected/{name}.json"))!;
            Assert.Equal($"inbox/{name}", (string)json["source"]!);
            Assert.Equal($"the content of {name}", Encoding.UTF8.GetString(await ReadAsync((string)json["kept"]!)));
        }
    }

    [Fact]
    public async Task A_rejection_for_latents_that_are_not_finite_names_the_version()
    {
        await TinyModel.ServeAsync(serving.Registry, "overflowing", "v7", TinyModel.OverflowingEncoder());
        await DropAsync("overflowing/white.png", Pictures.Bands(255, 255, 255, 255));
        await DropAsync("overflowing/black.png", Pictures.Bands(0, 0, 0, 0));
        Assert.Contains("overflowing, version v7",
            (string)JsonNode.Parse(await ReadAsync("rejected/overflowing/white.png.json"))!["reason"]!, StringComparison.Ordinal);
        await ReadAsync("results/overflowing/black.png.json");
    }

    BlobClient Inbox(string name) => serving.Blobs.GetBlobContainerClient("inbox").GetBlobClient(name);

    Task<string> DropAsync(string name, byte[] content) =>
        serving.Registry.Store.WriteAsync($"inbox/{name}", new BinaryData(content));

    async Task<byte[]> ReadAsync(string path)
    {
        Blob? blob = null;
        await Eventually.Async(async () => Assert.True(
            (blob = await serving.Registry.Store.TryReadAsync(path, 2 << 20)) is not null, $"{path} is missing.\n{serving.Log}"));
        return blob!.Content.ToArray();
    }
}
