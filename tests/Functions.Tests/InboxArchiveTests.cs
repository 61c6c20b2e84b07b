using System.Text.Json.Nodes;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>Archives that are dropped into the inbox.</summary>
[Collection(Serving.Name)]
public sealed class InboxArchiveTests(ServingFixture serving)
{
    readonly IBlobStore store = serving.Registry.Store;

    static byte[] Grey(int grey) => Pictures.Bands((byte)grey, (byte)grey, (byte)grey, (byte)grey);

    Task<string> DropAsync(string name, byte[] content) => store.WriteAsync($"inbox/{name}", new(content));

    async Task<List<string>> NamesAsync(string folder) =>
        await store.ListAsync(folder).Select(blob => blob.Path[folder.Length..]).ToListAsync();

    /// <summary>The answer to a content of a name, once it is there.</summary>
    async Task<JsonNode> AnswerAsync(string path, string? etag = null)
    {
        JsonNode answer = null!;
        await Eventually.Async(async () =>
        {
            var blob = await store.TryReadAsync(path, 1 << 20);
            Assert.True(blob is not null, $"{path} is missing.\n{serving.Log}");
            answer = JsonNode.Parse(blob!.Content)!;
            Assert.True(etag is null || (string)answer["sourceETag"]! == etag.Trim('"'), answer.ToJsonString());
        }, 60, 0.2);
        return answer;
    }

    [Theory]
    [InlineData("zip")]
    [InlineData("tar")]
    public async Task Every_image_of_an_archive_has_a_result_and_the_archive_an_answer(string kind)
    {
        (string, byte[])[] entries = [("a.png", Grey(10)), ("folder/b.png", Grey(20)), ("broken.png", Grey(30)[..40])];
        var name = $"tiny/some/whole.{kind}";
        var etag = await DropAsync(name, kind == "zip" ? Archives.Zip(entries) : Archives.Tar(entries));
        var answer = await AnswerAsync($"results/{name}.json", etag);
        Assert.Equal((3, 2, 1), ((int)answer["images"]!, (int)answer["done"]!, (int)answer["failed"]!));
        Assert.Equal($"inbox/{name}", (string)answer["source"]!);
        Assert.Equal(["a.png.json", "a.png.png", "failures.jsonl", "folder/b.png.json", "folder/b.png.png"],
            await NamesAsync((string)answer["results"]!));
        var picture = (await store.TryReadAsync($"results/{name}/folder/b.png.png", 1 << 20))!.Content;
        Assert.All(ImageCodec.Decode(picture).Pixels, pixel => Assert.Equal(20, pixel));
        var failures = (await store.TryReadAsync((string)answer["failures"]!, 1 << 20))!.Content.ToString();
        Assert.Contains($"inbox/{name}/broken.png", failures, StringComparison.Ordinal);
        Assert.Empty(await NamesAsync($"rejected/{name}"));
    }

    [Fact]
    public async Task What_is_hostile_in_an_archive_leads_nowhere_and_the_rest_is_done()
    {
        await DropAsync("tiny/hostile.tar", Archives.Tar(("good.png", Grey(7)), ("good.png", Grey(8)), ("../out.png", Grey(9)),
            ("../../models/tiny/current.json", [1]), ("inner.zip", Archives.Zip(("x.png", Grey(1)))),
            ("large.png", new byte[1_000_001])));
        var answer = await AnswerAsync("results/tiny/hostile.tar.json");
        Assert.Equal((6, 1, 5), ((int)answer["images"]!, (int)answer["done"]!, (int)answer["failed"]!));
        Assert.Equal(["failures.jsonl", "good.png.json", "good.png.png"], await NamesAsync("results/tiny/hostile.tar/"));
        Assert.Empty(await NamesAsync("results/tiny/out.png"));
        Assert.Equal("v1", (await serving.Registry.ReadCurrentAsync("tiny"))!.Version);
    }

    public static TheoryData<string, byte[], string> Bad => new()
    {
        { "tiny/none.zip", "no archive at all"u8.ToArray(), "end of a ZIP" },
        { "tiny/none.tar", [.. Enumerable.Repeat((byte)'x', 700)], "damaged" },
        { "tiny/empty.zip", Archives.Zip(), "no image in it" },
        { "tiny/empty.tar", [], "no image in it" },
        { "tiny/packed.tar.gz", "x"u8.ToArray(), "compressed TAR" },
        { "absent/a.zip", Archives.Zip(("a.png", Grey(1))), "no model \"absent\"" },
        { "labelled/a.zip", Archives.Zip(("a.png", Grey(1))), "inbox/MODEL/LABEL/" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task An_archive_that_cannot_be_read_is_rejected_as_a_broken_image_is(string name, byte[] content, string reason)
    {
        await DropAsync(name, content);
        var rejection = await AnswerAsync($"rejected/{name}.json");
        Assert.Contains(reason, (string)rejection["reason"]!, StringComparison.Ordinal);
        Assert.Equal(content, (await store.TryReadAsync($"rejected/{name}", 1 << 20))!.Content.ToArray());
        Assert.Empty(await NamesAsync($"results/{name}"));
    }

    [Fact]
    public async Task An_archive_that_is_dropped_again_changed_leaves_nothing_of_what_it_was()
    {
        const string name = "tiny/changed.zip";
        var etag = await DropAsync(name, Archives.Zip(("a.png", Grey(10)), ("b.png", Grey(20))));
        await AnswerAsync($"results/{name}.json", etag);
        etag = await DropAsync(name, Archives.Zip(("b.png", Grey(40)), ("c.png", Grey(50))));
        var answer = await AnswerAsync($"results/{name}.json", etag);
        Assert.Equal((2, 2), ((int)answer["images"]!, (int)answer["done"]!));
        Assert.Equal(["b.png.json", "b.png.png", "c.png.json", "c.png.png", "failures.jsonl"],
            await NamesAsync($"results/{name}/"));
        var picture = (await store.TryReadAsync($"results/{name}/b.png.png", 1 << 20))!.Content;
        Assert.All(ImageCodec.Decode(picture).Pixels, pixel => Assert.Equal(40, pixel));

        await DropAsync(name, "no archive"u8.ToArray());
        await AnswerAsync($"rejected/{name}.json");
        Assert.Empty(await NamesAsync($"results/{name}"));
        etag = await DropAsync(name, Archives.Zip(("d.png", Grey(1))));
        await AnswerAsync($"results/{name}.json", etag);
        Assert.Empty(await NamesAsync($"rejected/{name}"));
    }

    [Fact]
    public async Task An_archive_in_a_labels_folder_is_of_that_label()
    {
        await DropAsync("labelled/bright/some.zip", Archives.Zip(("a.png", Grey(255))));
        Assert.Equal("bright", (string)(await AnswerAsync("results/labelled/bright/some.zip.json"))["label"]!);
        Assert.Equal("bright", (string)(await AnswerAsync("results/labelled/bright/some.zip/a.png.json"))["label"]!);
    }
}
