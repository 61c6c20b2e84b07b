using System.Diagnostics;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using VaeFunctions.LocalCloud;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>kill −9, of the worker and then of the host, in the middle of dropped images and of a job.</summary>
public sealed class KillTests : IDisposable
{
    const int Count = 500;

    const string Model = "small-faces";

    static readonly TimeSpan patience = TimeSpan.FromMinutes(2);

    readonly TemporaryFolder folder = new();
    readonly Session session = new(Port.Free(), Port.Free());

    IBlobStore Store => BlobStores.Open(Azurite.ConnectionString(session.StoragePort));

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Every_image_has_one_answer_although_worker_and_host_were_killed()
    {
        await using var training = await Command.RunAsync(
            Command.LocalCloud, "train", "faces-vae", "--data", "faces:400", "--epochs", "1", "--model", Model, "--out",
            folder.File("runs"));
        Assert.True(training.ExitCode == 0, training.Output);
        var images = folder.File("images");
        await using var drawn =
            await Command.RunAsync(Command.LocalCloud, "faces", "--count", $"{Count}", "--seed", "7", "--out", images);
        Assert.True(drawn.ExitCode == 0, drawn.Output);
        var faces = Directory.GetFiles(images, "*.png");
        Assert.Equal(Count, faces.Length);
        string job;
        await using (var first = await ServeAsync())
        {
            await UploadAsync("results/originals", faces);
            job = await StartJobAsync();
            await UploadAsync($"inbox/{Model}", faces);
            await UntilAsync(async () => await AnswersAsync(Model) > 50);

            using (var worker = Process.GetProcessById(Worker(first)))
                worker.Kill();
            var before = await AnswersAsync(Model);
            await UntilAsync(async () => await AnswersAsync(Model) > before + 50);
            Assert.True(await AnswersAsync(Model) < Count, "All were answered before the host could be killed.");

            first.Kill();
            await UntilAsync(() => Task.FromResult(first.Family().Count == 0));
        }

        await using var second = await ServeAsync();
        await UntilAsync(async () => await AnswersAsync(Model) >= Count);
        using var http = new HttpClient();
        JsonNode status = null!;
        await UntilAsync(async () => (string)(status = (await http.GetFromJsonAsync<JsonNode>(job))!)["state"]! == "completed");

        Assert.Equal(Count, await AnswersAsync(Model));
        Assert.Equal((Count, 0), ((int)status["done"]!, (int)status["failed"]!));
        Assert.Equal(Count, await AnswersAsync("copies"));
        Assert.Equal(0, await Store.ListAsync("rejected/").CountAsync());
        var dropped = await Store.ListAsync($"inbox/{Model}/").ToDictionaryAsync(blob => blob.Path, blob => blob.ETag.Trim('"'));
        foreach (var answer in await Store.ListAsync($"results/{Model}/").Where(IsAnswer).ToListAsync())
        {
            var result = JsonNode.Parse((await Store.TryReadAsync(answer.Path, 1 << 20))!.Content)!;
            Assert.Equal(dropped[(string)result["source"]!], ((string)result["sourceETag"]!).Trim('"'));
        }
    }

    static bool IsAnswer(BlobEntry blob) => blob.Path.EndsWith(".json", StringComparison.Ordinal);

    static int Worker(Command serve) =>
        serve.Family().Single(process => process.CommandLine.Contains("VaeFunctions.Functions.dll", StringComparison.Ordinal)).Id;

    static async Task UntilAsync(
        Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string? expression = null)
    {
        for (var clock = Stopwatch.StartNew(); !await condition(); await Task.Delay(100))
            Assert.True(clock.Elapsed < patience, $"Not within two minutes: {expression}");
    }

    ValueTask<int> AnswersAsync(string results) => Store.ListAsync($"results/{results}/").CountAsync(IsAnswer);

    Task UploadAsync(string place, string[] files) => Parallel.ForEachAsync(files, async (file, cancellation) =>
        await Store.WriteAsync($"{place}/{Path.GetFileName(file)}", new(await File.ReadAllBytesAsync(file, cancellation)),
            cancellation: cancellation));

    async Task<string> StartJobAsync()
    {
        using var http = new HttpClient { BaseAddress = new($"http://localhost:{session.Port}") };
        using var answer = await http.PostAsJsonAsync(
            $"/api/models/{Model}/jobs",
            new { operation = "reconstruct", input = "results/originals/", output = "results/copies/" });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return new Uri(http.BaseAddress, answer.Headers.Location!).ToString();
    }

    async Task<Command> ServeAsync()
    {
        var serve =
            Command.Start(Command.LocalCloud, "serve", "--port", $"{session.Port}", "--storage-port", $"{session.StoragePort}",
            "--data", folder.File("data"), "--runs", folder.File("runs"));
        await serve.WaitForAsync("Ctrl-C stops");
        return serve;
    }
}
