using System.Formats.Tar;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Storage.Queues;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;
using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

/// <summary>Bulk jobs that make pictures which nobody had: augment, edit and sample.</summary>
[Collection(Serving.Name)]
public sealed class MakingJobTests(ServingFixture serving)
{
    readonly IBlobStore store = serving.Registry.Store;

    async Task<JsonNode> RunAsync(object body, string model = ServingFixture.Model)
    {
        using var started = await serving.Http.SendAsync(
            HttpMethod.Post, $"models/{model}/jobs", JsonSerializer.Serialize(body).Json());
        Assert.True((int)started.StatusCode == 202, await started.Content.ReadAsStringAsync());
        return await CompletedAsync(started.Headers.Location!.ToString());
    }

    async Task<JsonNode> CompletedAsync(string path)
    {
        JsonNode status = null!;
        await Eventually.Async(async () =>
        {
            status = await serving.Http.SendAsync(HttpMethod.Get, path).JsonAsync();
            Assert.True((string)status["state"]! == "completed", status.ToJsonString());
        }, 60);
        return status;
    }

    async Task<List<string>> NamesAsync(string folder) =>
        await store.ListAsync(folder).Select(blob => blob.Path[folder.Length..]).ToListAsync();

    async Task<byte[]> ReadAsync(string path) => (await store.TryReadAsync(path, 64 << 20))!.Content.ToArray();

    async Task<JsonNode> ReadJsonAsync(string path) => JsonNode.Parse(await ReadAsync(path))!;

    async Task<JsonArray> AskAsync(string operation, object body)
    {
        var answer = await serving.Http.SendAsync(HttpMethod.Post, $"models/{ServingFixture.Model}/{operation}",
            JsonSerializer.Serialize(body).Json(), "application/json").JsonAsync();
        return answer["images"]!.AsArray();
    }

    /// <summary>What the job wrote is what the HTTP function answers.</summary>
    async Task SameAsync(JsonNode answered, string path)
    {
        var own = await ReadJsonAsync($"{path}.json");
        Assert.True(JsonNode.DeepEquals(answered["latent"], own["latent"]), own.ToJsonString());
        Assert.Equal(Convert.FromBase64String((string)answered["png"]!), await ReadAsync($"{path}.png"));
    }

    [Fact]
    public async Task Samples_of_a_job_are_those_of_the_function_over_more_than_one_slice()
    {
        var status = await RunAsync(
            new { operation = "sample", count = 203, seed = 8, temperature = 0.7, output = "results/drawn/" });
        Assert.Equal((203, 203, "v1"), ((int)status["images"]!, (int)status["done"]!, (string)status["version"]!));
        Assert.Equal((203, 8), ((int)status["parameters"]!["count"]!, (int)status["parameters"]!["seed"]!));
        Assert.Null(status["input"]);
        Assert.Equal(
            Enumerable.Range(1, 203).SelectMany(i => new[] { $"{i:0000000}.json", $"{i:0000000}.png" }).Append("failures.jsonl"),
            await NamesAsync("results/drawn/"));
        var answered = await AskAsync("sample", new { count = 203, seed = 8, temperature = 0.7 });
        foreach (var i in (int[])[0, 1, 199, 200, 202])
            await SameAsync(answered[i]!, $"results/drawn/{i + 1:0000000}");
    }

    [Fact]
    public async Task Samples_of_a_conditional_model_lie_in_folders_of_their_labels()
    {
        await RunAsync(new { operation = "sample", count = 4, output = "results/turns/" }, ServingFixture.Labelled);
        string[] names = ["bright/0000002", "bright/0000004", "plain/0000001", "plain/0000003"];
        Assert.Equal(names.SelectMany(name => new[] { $"{name}.json", $"{name}.png" }).Append("failures.jsonl")
            .Order(StringComparer.Ordinal), await NamesAsync("results/turns/"));
        Assert.Equal("bright", (string)(await ReadJsonAsync("results/turns/bright/0000002.json"))["label"]!);

        var status = await RunAsync(
            new { operation = "sample", count = 1, label = "bright", output = "results/one/" }, ServingFixture.Labelled);
        Assert.Equal("bright", (string)status["label"]!);
        Assert.Equal("bright", (string)(await ReadJsonAsync("results/one/0000001.json"))["label"]!);
    }

    [Fact]
    public async Task Variants_are_numbered_and_those_that_the_function_gives_with_their_seed()
    {
        byte[] first = Pictures.Bands(10, 60, 130, 250), second = Pictures.Bands(0, 20, 40, 60);
        await store.WriteAsync("inbox/made/vary/cats/a.png", new(first));
        await store.WriteAsync("inbox/made/vary/b.png", new(second));
        await store.WriteAsync("inbox/made/vary/broken.png", new(first[..40]));
        var status = await RunAsync(new
        {
            operation = "augment",
            input = "inbox/made/vary/",
            output = "results/varied/",
            count = 3,
            spread = 0.5,
            seed = 5,
        });
        Assert.Equal((3, 2, 1), ((int)status["images"]!, (int)status["done"]!, (int)status["failed"]!));
        string[] images = ["b.png", "cats/a.png"];
        var names = images.SelectMany(name => Enumerable.Range(1, 3).Select(i => $"{name}-{i}"));
        Assert.Equal(names.SelectMany(name => new[] { $"{name}.json", $"{name}.png" }).Append("failures.jsonl")
            .Order(StringComparer.Ordinal), await NamesAsync("results/varied/"));
        foreach (var (name, image) in images.Zip([second, first]))
        {
            var seed = (long)(await ReadJsonAsync($"results/varied/{name}-1.json"))["seed"]!;
            var answered = await AskAsync("augment", new { images = new[] { image }, count = 3, spread = 0.5, seed });
            for (var i = 0; i < 3; i++)
                await SameAsync(answered[i]!, $"results/varied/{name}-{i + 1}");
        }
    }

    [Fact]
    public async Task An_image_has_the_same_variants_whatever_other_images_there_are()
    {
        await store.WriteAsync("inbox/made/few/m.png", new(Pictures.Bands(1, 2, 3, 4)));
        await RunAsync(new { operation = "augment", input = "inbox/made/few/", output = "results/few/", count = 1, seed = 1 });
        await store.WriteAsync("inbox/made/few/a.png", new(Pictures.Bands(9, 9, 9, 9)));
        await RunAsync(new { operation = "augment", input = "inbox/made/few/", output = "results/more/", count = 1, seed = 1 });
        Assert.Equal(["a.png.json", "a.png.png", "failures.jsonl", "m.png.json", "m.png.png"], await NamesAsync("results/more/"));
        Assert.Equal(await ReadAsync("results/few/m.png.png"), await ReadAsync("results/more/m.png.png"));
    }

    [Fact]
    public async Task An_edit_of_many_images_is_the_functions_edit_of_each()
    {
        var image = Pictures.Bands(10, 60, 130, 250);
        await store.WriteAsync("inbox/made/edit/a.png", new(image));
        object concepts = new { bright = 0.5, own = 1 };
        byte[][] with = [Pictures.Bands(200, 0, 0, 0)], without = [Pictures.Bands(0, 0, 0, 0)];
        object examples = new { own = new { with, without } };
        float[] strengths = [-1, 0.5f];
        await RunAsync(new
        {
            operation = "edit",
            input = "inbox/made/edit/",
            output = "results/edited/",
            concepts,
            examples,
            strengths,
        });
        Assert.Equal(["a.png-1.json", "a.png-1.png", "a.png-2.json", "a.png-2.png", "failures.jsonl"],
            await NamesAsync("results/edited/"));
        var answered = await AskAsync("edit", new { image, concepts, examples, strengths });
        for (var i = 0; i < 2; i++)
        {
            await SameAsync(answered[i]!, $"results/edited/a.png-{i + 1}");
            Assert.Equal(strengths[i], (float)(await ReadJsonAsync($"results/edited/a.png-{i + 1}.json"))["strength"]!);
        }
    }

    public static TheoryData<string, string> Makers => new()
    {
        { "augment", """{"operation": "augment", "input": "inbox/made/twice/", "count": 4, "seed": 3}""" },
        { "edit", """{"operation": "edit", "input": "inbox/made/twice/", "concepts": {"bright": 1}, "strengths": [1, 2]}""" },
        { "sample", """{"operation": "sample", "count": 30, "seed": 3}""" },
    };

    [Theory]
    [MemberData(nameof(Makers))]
    public async Task A_slice_that_is_done_twice_has_the_same_bytes(string operation, string body)
    {
        for (var i = 0; i < 9; i++)
            await store.WriteAsync($"inbox/made/twice/{i}.png", new(Pictures.Bands((byte)i, 7, 100, 20)));
        foreach (var format in (string[])["tar", "parquet", "files"])
        {
            var folder = $"results/twice/{operation}/{format}/";
            var request = JsonNode.Parse(body)!.AsObject();
            (request["output"], request["format"]) = (folder, format);
            var id = (string)(await RunAsync(request))["id"]!;
            var before = await AllAsync(folder);
            Assert.NotEmpty(before);

            foreach (var trace in (string[])["done/", "finished.json"])
                await foreach (var blob in store.ListAsync($"jobs/tiny/{id}/{trace}"))
                    await store.DeleteAsync(blob.Path);
            foreach (var path in before.Keys)
                await store.DeleteAsync(path);
            var queue = new QueueClient(
                serving.ConnectionString, JobQueue.Name, new() { MessageEncoding = QueueMessageEncoding.Base64 });
            await queue.SendMessageAsync(JsonSerializer.Serialize(new JobMessage("tiny", id, 0), JsonSerializerOptions.Web));
            await CompletedAsync($"models/tiny/jobs/{id}");
            var after = await AllAsync(folder);
            Assert.Equal(before.Keys.Order(), after.Keys.Order());
            Assert.All(before, one => Assert.Equal(one.Value, after[one.Key]));
        }

        async Task<Dictionary<string, byte[]>> AllAsync(string folder)
        {
            var all = new Dictionary<string, byte[]>();
            await foreach (var blob in store.ListAsync(folder))
                all[blob.Path] = await ReadAsync(blob.Path);
            return all;
        }
    }

    [Fact]
    public async Task Pictures_that_were_made_come_as_a_TAR_too()
    {
        await RunAsync(new { operation = "sample", count = 2, seed = 1, output = "results/packed/", format = "tar" });
        using var tar = new TarReader(new MemoryStream(await ReadAsync("results/packed/000000.tar")));
        var names = new List<string>();
        while (tar.GetNextEntry() is { } entry)
            names.Add(entry.Name);
        Assert.Equal(["0000001.png", "0000001.json", "0000002.png", "0000002.json"], names);
    }

    [Fact]
    public async Task A_job_holds_to_the_version_that_it_names()
    {
        await TinyModel.ServeAsync(serving.Registry, "moved", "v1", decoder: TinyModel.Decoder());
        await TinyModel.ServeAsync(serving.Registry, "moved", "v2", decoder: TinyModel.Decoder(shift: 0.5f));
        await store.WriteAsync("inbox/made/moved/a.png", new(Pictures.Bands(1, 2, 3, 4)));
        await Eventually.Async(async () => Assert.Equal("v2",
            (string)(await serving.Http.SendAsync(HttpMethod.Get, "models/moved/versions").JsonAsync())["current"]!));
        foreach (var version in (string[])["v1", "v2"])
        {
            var output = $"results/moved/{version}/";
            var status = await RunAsync(
                new { operation = "reconstruct", input = "inbox/made/moved/", output, version }, "moved");
            Assert.Equal(version, (string)status["version"]!);
            Assert.Equal(version, (string)(await ReadJsonAsync($"results/moved/{version}/a.png.json"))["version"]!);
        }
        Assert.Equal(1, ImageCodec.Decode(await ReadAsync("results/moved/v1/a.png.png")).Pixels[0]);
        Assert.NotEqual(1, ImageCodec.Decode(await ReadAsync("results/moved/v2/a.png.png")).Pixels[0]);
    }
}
