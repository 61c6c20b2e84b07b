using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;
using Azure.Storage.Queues;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;
using VaeFunctions.Serving;
using Xunit.Abstractions;

namespace VaeFunctions.Tests;

public sealed class JobTests(ITestOutputHelper output) : IAsyncLifetime
{
    /// <summary>Images of the job that two processes share: 600, or as many as VAE_JOB_IMAGES asks for, then out of the folder
    /// VAE_CIFAR.</summary>
    static readonly int Many =
        int.Parse(Environment.GetEnvironmentVariable("VAE_JOB_IMAGES") ?? "600", CultureInfo.InvariantCulture);

    /// <summary>Seconds between two looks at a job: looking costs the storage emulator as much as some images.</summary>
    static double Pause => Many > 600 ? 3 : 0.05;

    readonly AzuriteFixture azurite = new();
    AzureBlobStore store = null!;
    FunctionsApp app = null!;

    public async Task InitializeAsync()
    {
        await azurite.InitializeAsync();
        store = new AzureBlobStore(new(azurite.ConnectionString));
        await TinyModel.ServeAsync(new ModelRegistry(store), "tiny", "v1");
        app = await StartAsync();
    }

    public async Task DisposeAsync()
    {
        await app.DisposeAsync();
        await azurite.DisposeAsync();
    }

    Task<FunctionsApp> StartAsync(params (string Name, string Value)[] settings) =>
        FunctionsApp.StartAsync(azurite.ConnectionString,
        [
            ("Serving__JobSliceSize", $"{Math.Max(7, Many / 100)}"), ("Serving__MaxBodyBytes", "100000"),
            ("Serving__BlobContainers", "pictures,inbox"), ("Serving__JobOutputContainers", "results,made"), .. settings,
        ]);

    /// <summary>Lays images at pictures/a/ and gives back the greys of their bands.</summary>
    async Task<Dictionary<string, byte>> UploadAsync(int count)
    {
        var greys = Enumerable.Range(0, count).ToDictionary(i => $"{i % 10}/{i:0000}.png", i => (byte)(i % 250));
        await Parallel.ForEachAsync(greys,
            async (pair, cancellation) =>
                await store.WriteAsync(
                    $"pictures/a/{pair.Key}", new(Pictures.Bands(pair.Value, pair.Value, 0, 255)), cancellation: cancellation));
        return greys;
    }

    async Task<(string Path, JsonNode Answer)> PostAsync(object body)
    {
        using var response = await app.Http.SendAsync(HttpMethod.Post, "models/tiny/jobs", JsonSerializer.Serialize(body).Json());
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == 202, text);
        return (response.Headers.Location!.ToString(), JsonNode.Parse(text)!);
    }

    async Task<JsonNode> CompletedAsync(string path, string state = "completed", int seconds = 90)
    {
        JsonNode status = null!;
        await Eventually.Async(async () =>
        {
            status = await app.Http.SendAsync(HttpMethod.Get, path).JsonAsync();
            Assert.True(state == (string)status["state"]!, status.ToJsonString());
        }, seconds, Pause);
        return status;
    }

    static (int, int, int, int) Counts(JsonNode status) =>
        ((int)status["images"]!, (int)status["done"]!, (int)status["failed"]!, (int)status["remaining"]!);

    [SkippableFact]
    public async Task A_job_gives_every_image_one_result_and_lists_the_failures_in_a_file_beside_them()
    {
        var greys = await UploadAsync(30);
        await store.WriteAsync("pictures/a/broken.png", new("no picture"));
        await store.WriteAsync("pictures/a/0/large.png", new(new byte[100_001]));
        await store.WriteAsync("pictures/b/elsewhere.png", new("not asked for"));
        var (path, answer) = await PostAsync(new { operation = "reconstruct", input = "pictures/a/", output = "made/of-a/" });
        Assert.Contains((string)answer["id"]!, path, StringComparison.Ordinal);
        Assert.Equal((32, 30, 2, 0), Counts(await CompletedAsync(path)));

        var results = await store.ListAsync("made/").Select(blob => blob.Path).ToListAsync();
        var expected = greys.Keys.SelectMany(name => new[] { $"made/of-a/{name}.json", $"made/of-a/{name}.png" })
            .Append("made/of-a/failures.jsonl");
        Assert.Equal(expected.Order(StringComparer.Ordinal), results);
        var picture = ImageCodec.Decode((await store.TryReadAsync("made/of-a/3/0013.png.png", 1 << 20))!.Content);
        Assert.Equal(13, picture.Pixels[0]);
        var failures = (await store.TryReadAsync("made/of-a/failures.jsonl", 1 << 20))!.Content.ToString().Trim().Split('\n');
        Assert.Contains("more than 100000 bytes", failures[0], StringComparison.Ordinal);
        Assert.Contains("pictures/a/broken.png", failures[1], StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task An_image_that_fails_has_no_result_left_from_an_earlier_job()
    {
        await UploadAsync(3);
        object body = new { operation = "reconstruct", input = "pictures/a/", output = "made/again/" };
        Assert.Equal((3, 3, 0, 0), Counts(await CompletedAsync((await PostAsync(body)).Path)));
        await store.WriteAsync("pictures/a/1/0001.png", new("no picture"));
        Assert.Equal((3, 2, 1, 0), Counts(await CompletedAsync((await PostAsync(body)).Path)));
        Assert.Empty(await store.ListAsync("made/again/1/").ToListAsync());
        await store.WriteAsync("pictures/a/1/0001.png", new(Pictures.Bands(1, 1, 0, 255)));
        Assert.Equal((3, 3, 0, 0), Counts(await CompletedAsync((await PostAsync(body)).Path)));
        Assert.Equal("", (await store.TryReadAsync("made/again/failures.jsonl", 1 << 20))!.Content.ToString());
    }

    [SkippableFact]
    public async Task Two_processes_share_a_job_and_one_that_dies_loses_and_doubles_nothing()
    {
        var names = await UploadManyAsync();
        await using var second = await StartAsync();
        await second.ReadyAsync();
        await app.ReadyAsync();
        var (path, _) = await PostAsync(new { operation = "encode", input = "pictures/a/", output = "made/latents/" });
        var done = 0;
        await Eventually.Async(async () => Assert.True(
            (done = (int)(await app.Http.SendAsync(HttpMethod.Get, path).JsonAsync())["done"]!) > Many / 6), Many / 6, Pause);
        await second.KillWorkerAsync();
        Assert.True(done < Many, $"All of {done} were done before the second process could die.");
        Assert.Equal((Many, Many, 0, 0), Counts(await CompletedAsync(path, seconds: Many / 6)));
        var results = await store.ListAsync("made/").Select(blob => blob.Path).ToListAsync();
        var expected = names.Select(name => $"made/latents/{name}.json").Append("made/latents/failures.jsonl");
        Assert.Equal(expected.Order(StringComparer.Ordinal), results);
        if (Many <= 600)
        {
            var latent = JsonNode.Parse((await store.TryReadAsync("made/latents/9/0009.png.json", 1 << 20))!.Content)!["latent"]!;
            Assert.Equal(9 / 255f - 0.5f, (float)latent[0]!, 1e-5);
        }
        output.WriteLine($"{Many} images, {done} done when one of two workers died; the other ended with {app.Megabytes:F0} MB");
    }

    /// <summary>The names below pictures/a/.</summary>
    async Task<IReadOnlyCollection<string>> UploadManyAsync()
    {
        if (Many <= 600)
            return (await UploadAsync(Many)).Keys;
        var folder = Environment.GetEnvironmentVariable("VAE_CIFAR") ?? "";
        Skip.IfNot(Directory.Exists(folder), "VAE_CIFAR is not set: a folder with CIFAR-10's images, a folder for each class.");
        string[] files = [.. Directory.EnumerateFiles(folder, "*.jpg", SearchOption.AllDirectories).Take(Many)];
        Assert.True(files.Length == Many, $"{folder} has {files.Length} images; VAE_JOB_IMAGES asks for {Many}.");
        await Parallel.ForEachAsync(files, async (file, cancellation) =>
            await store.WriteAsync($"pictures/a/{Path.GetRelativePath(folder, file)}",
                new(await File.ReadAllBytesAsync(file, cancellation)), cancellation: cancellation));
        return [.. files.Select(file => Path.GetRelativePath(folder, file))];
    }

    [SkippableFact]
    public async Task The_same_message_twice_changes_nothing()
    {
        await UploadAsync(20);
        var (path, answer) = await PostAsync(new { operation = "anomaly", input = "pictures/a/", output = "made/" });
        await CompletedAsync(path);
        var before = await store.ListAsync("made/").ToListAsync();
        var queue = new QueueClient(
            azurite.ConnectionString, JobQueue.Name, new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });
        foreach (var slice in new int?[] { null, 0, 1, 99 })
            await queue.SendMessageAsync(
                JsonSerializer.Serialize(new JobMessage("tiny", (string)answer["id"]!, slice), JsonSerializerOptions.Web));
        await Eventually.Async(async () => Assert.Equal(0, (await queue.GetPropertiesAsync()).Value.ApproximateMessagesCount));
        Assert.Equal((20, 20, 0, 0), Counts(await CompletedAsync(path)));
        Assert.Equal(before, await store.ListAsync("made/").ToListAsync());
    }

    [SkippableFact]
    public async Task A_job_whose_messages_are_lost_on_the_way_is_gone_on_with_by_the_timer()
    {
        await UploadAsync(300);
        await app.DisposeAsync();
        app = await StartAsync(("VaeJobRecoverySchedule", "* * * * * *"));
        var (path, _) = await PostAsync(new { operation = "encode", input = "pictures/a/", output = "made/" });
        var status = new JsonObject();
        await Eventually.Async(async () => Assert.True(
            (int)(status = (await app.Http.SendAsync(HttpMethod.Get, path).JsonAsync()).AsObject())["done"]! > 0));
        await new QueueClient(azurite.ConnectionString, JobQueue.Name).ClearMessagesAsync();
        Assert.True((int)status["done"]! < 300, "All was done before messages could be lost.");
        Assert.Equal((300, 300, 0, 0), Counts(await CompletedAsync(path)));
        Assert.Contains("has work left but no message", app.Log, StringComparison.Ordinal);
        await Eventually.Async(async () => Assert.Equal(0, await store.ListAsync("jobs/_open/").CountAsync()));
    }

    /// <summary>Behind the poison queue there is no other: what stayed in it would keep the timer from lost messages for
    /// good.</summary>
    [SkippableTheory]
    [InlineData("no message of ours")]
    [InlineData("""{"model": "tiny", "id": "somebody else's"}""")]
    public async Task What_nobody_can_read_does_not_stay_in_the_poison_queue(string text)
    {
        await app.ReadyAsync();
        var poison = new QueueClient(
            azurite.ConnectionString, JobQueue.Poison, new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });
        await poison.CreateIfNotExistsAsync();
        await poison.SendMessageAsync(text);
        await Eventually.Async(async () =>
        {
            Assert.Equal(0, (await poison.GetPropertiesAsync()).Value.ApproximateMessagesCount);
            Assert.Contains($"A message of vae-jobs-poison is dropped: ", app.Log, StringComparison.Ordinal);
            Assert.Contains(text[..15], app.Log, StringComparison.Ordinal);
        });
    }

    [SkippableFact]
    public async Task A_cancelled_job_stops_and_what_is_done_stays()
    {
        await UploadAsync(700);
        var (path, _) = await PostAsync(new { operation = "reconstruct", input = "pictures/a/", output = "made/" });
        var answer = await app.Http.SendAsync(HttpMethod.Delete, path).JsonAsync();
        Assert.Equal("cancelled", (string)answer["state"]!);
        var status = await CompletedAsync(path, "cancelled");
        Assert.True((int)status["done"]! < 700);
        var listed = await app.Http.SendAsync(HttpMethod.Get, path[..path.LastIndexOf('/')]).JsonAsync();
        Assert.Equal((string)status["id"]!, (string)Assert.Single(listed["jobs"]!.AsArray())!["id"]!);
        Assert.Equal((int)status["images"]!, (int)status["done"]! + (int)status["failed"]! + (int)status["remaining"]!);
    }

    [SkippableFact]
    public async Task A_prefix_without_images_has_failed_and_says_so()
    {
        var (path, _) = await PostAsync(new { input = "pictures/nothing/", output = "made/" });
        var status = await CompletedAsync(path, "failed");
        Assert.Equal((0, 0, 0, 0), Counts(status));
        Assert.Contains("There is no image under pictures/nothing/. ", (string)status["error"]!, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Folder_markers_and_what_systems_leave_are_no_images()
    {
        string[] litter =
            ["@eaDir/a.png/SYNOPHOTO_THUMB_M.jpg", "#recycle/b.png", "__MACOSX/._c.png", "Thumbs.db", ".hidden.png"];
        var container = new BlobContainerClient(
            azurite.ConnectionString, "pictures", new() { TrimBlobNameSlashes = false });
        await store.WriteAsync("pictures/litter/first", new("x"));
        await store.DeleteAsync("pictures/litter/first");
        await container.GetBlobClient("litter/").UploadAsync(BinaryData.Empty);
        foreach (var name in litter)
            await store.WriteAsync($"pictures/litter/{name}", new("x"));
        var (path, _) = await PostAsync(new { input = "pictures/litter/", output = "made/" });
        Assert.Equal(
            "There is no image under pictures/litter/, only 6 folder markers and system files. "
                + "Look whether the prefix is right, upper and lower case included.",
            (string)(await CompletedAsync(path, "failed"))["error"]!);

        await store.WriteAsync("pictures/litter/empty.png", BinaryData.Empty);
        await store.WriteAsync("pictures/litter/real.png", new(Pictures.Bands(1, 2, 3, 4)));
        (path, _) = await PostAsync(new { input = "pictures/litter/", output = "made/" });
        Assert.Equal((2, 1, 1, 0), Counts(await CompletedAsync(path)));
        Assert.Contains("it is empty", (await store.TryReadAsync("made/failures.jsonl", 1 << 20))!.Content.ToString(),
            StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task The_unmade_results_of_a_slice_in_the_poison_queue_are_failures()
    {
        await UploadAsync(10);
        // Somebody holds a result's place, so that it cannot be written.
        var place = new BlobClient(azurite.ConnectionString, "made", "0/0000.png.png");
        await store.WriteAsync("made/0/0000.png.png", new("held"));
        await place.GetBlobLeaseClient().AcquireAsync(BlobLeaseClient.InfiniteLeaseDuration);
        var (path, _) = await PostAsync(new { operation = "reconstruct", input = "pictures/a/", output = "made/" });
        Assert.Equal((10, 9, 1, 0), Counts(await CompletedAsync(path)));
        Assert.Contains(
            "0000.png", (await store.TryReadAsync("made/failures.jsonl", 1 << 20))!.Content.ToString(), StringComparison.Ordinal);
        Assert.Contains("Moving message to queue 'vae-jobs-poison'", app.Log, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task What_fails_again_and_again_is_given_up_and_counted()
    {
        // As if both slices had failed until their messages went to the poison queue, the first image of all without a result.
        await UploadAsync(10);
        var (path, answer) = await PostAsync(new { input = "pictures/a/", output = "made/" });
        await CompletedAsync(path);
        var id = (string)answer["id"]!;
        await foreach (var blob in store.ListAsync($"jobs/tiny/{id}/done/")) await store.DeleteAsync(blob.Path);
        await store.DeleteAsync($"jobs/tiny/{id}/finished.json");
        await store.DeleteAsync("made/0/0000.png.json");
        var poison = new QueueClient(
            azurite.ConnectionString, JobQueue.Poison, new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });
        await poison.CreateIfNotExistsAsync(); // as the SDK does before it moves a message there
        foreach (var slice in new[] { 0, 1 })
            await poison.SendMessageAsync(JsonSerializer.Serialize(new JobMessage("tiny", id, slice), JsonSerializerOptions.Web));
        Assert.Equal((10, 9, 1, 0), Counts(await CompletedAsync(path)));
        Assert.Contains(
            "0000.png", (await store.TryReadAsync("made/failures.jsonl", 1 << 20))!.Content.ToString(), StringComparison.Ordinal);
    }
}
