using System.Collections.Concurrent;
using System.Formats.Tar;
using System.Text.Json;
using VaeFunctions.LocalCloud.Costs;
using VaeFunctions.Registry;
using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

/// <summary>Images go every way of <see cref="WayIn.All"/>, through a proxy that counts what the storage is asked: the table that
/// the calculator reckons with has to be what is counted.</summary>
public sealed class CostTests : IAsyncLifetime, IDisposable
{
    const int Images = 120, LooseSlice = 40, Shard = 60;

    readonly AzuriteFixture azurite = new();
    readonly ConcurrentQueue<PassedRequest> passed = [];
    FaultProxy proxy = null!;
    IBlobStore store = null!;
    FunctionsApp app = null!;

    public async Task InitializeAsync()
    {
        await azurite.InitializeAsync();
        proxy = new(azurite.ConnectionString) { Passed = passed.Enqueue };
        store = BlobStores.Open(azurite.ConnectionString);
        await TinyModel.ServeAsync(new ModelRegistry(store), "tiny", "v1");
        app = await FunctionsApp.StartAsync(proxy.ConnectionString,
            ("Serving__JobSliceSize", $"{LooseSlice}"), ("Serving__JobShardSize", $"{Shard}"),
            ("Serving__BlobContainers", "pictures,inbox"), ("VaeJobRecoverySchedule", "0 0 0 1 1 *"));
        await app.ReadyAsync();
    }

    public async Task DisposeAsync()
    {
        await app.DisposeAsync();
        await azurite.DisposeAsync();
    }

    public void Dispose() => proxy.Dispose();

    [SkippableFact]
    public async Task Every_way_takes_the_operations_that_the_calculator_reckons_with()
    {
        var found = new List<string>();
        foreach (var way in WayIn.All)
        {
            var place = $"{way.Name.Replace(", ", "-", StringComparison.Ordinal).Replace(' ', '-')}-{way.Operation}-{way.Format}";
            var counted = way.Name == "inbox" ? await DropAsync(way.Name) : await RunAsync(way, place);
            var slice = way.SliceSize == 0 ? 0 : way.Format == "files" ? LooseSlice : Shard;
            var expected = (way with { SliceSize = slice }).Of(Images);
            if (!Figures(counted).Zip(Figures(expected)).All(pair => Near(pair.First, pair.Second)))
                found.Add($"{way.Name}, {way.Operation} to {way.Format}: counted {counted}, reckoned {expected}");
        }
        Assert.True(found is [], string.Join(Environment.NewLine, found));

        static double[] Figures(Operations of) => [of.Writes, of.Lists, of.Reads, of.Others, of.Deletes, of.Messages];

        // What a job takes once, whatever its size, such as its first message and its last file, is no more than so many.
        static bool Near(double counted, double expected) => Math.Abs(counted - expected) <= 0.05 * expected + 8;
    }

    [Fact]
    public void The_calculator_reckons_with_the_slices_that_jobs_are_cut_into()
    {
        var settings = new ServingOptions();
        Assert.Equal((settings.JobSliceSize, settings.JobShardSize), (WayIn.LooseSlice, WayIn.Shard));
    }

    [Fact]
    public void Every_price_says_when_it_was_found_and_where()
    {
        Assert.All(Prices.All, price =>
        {
            Assert.True(price is { Amount: > 0, Units: > 0, Meter.Length: > 0, Found.Year: >= 2026 }, $"{price}");
            Assert.StartsWith("https://azure.microsoft.com/pricing/", price.Source, StringComparison.Ordinal);
        });
        Assert.Equal(Prices.All.Count, Prices.All.Select(price => price.Meter).Distinct().Count());
    }

    [Fact]
    public void A_million_of_each_operation_costs_what_the_list_says() =>
        Assert.Equal(5 + 5 + 0.4m + 0.4m + 0 + 0.4m, (1_000_000 * new Operations(1, 1, 1, 1, 1, 1)).Cost);

    async Task<Operations> DropAsync(string folder)
    {
        passed.Clear();
        await UploadAsync($"inbox/tiny/{folder}");
        var answers = store.ListAsync($"results/tiny/{folder}/")
            .Where(blob => blob.Path.EndsWith(".json", StringComparison.Ordinal));
        await Eventually.Async(async () => Assert.Equal(Images, await answers.CountAsync()), 60);
        await Task.Delay(500); // the last message is deleted after that
        return Counted(Images, $"inbox/tiny/{folder}/", $"results/tiny/{folder}/", $"rejected/tiny/{folder}/");
    }

    async Task<Operations> RunAsync(WayIn way, string place)
    {
        var isArchive = way.Name.Contains("archive", StringComparison.Ordinal);
        if (isArchive)
            await store.WriteAsync($"pictures/{place}/all.tar", new(Tar()));
        else
            await UploadAsync($"pictures/{place}");
        passed.Clear();
        var body = JsonSerializer.Serialize(
            new { operation = way.Operation, input = $"pictures/{place}/", output = $"results/{place}/", format = way.Format });
        using var started = await app.Http.SendAsync(HttpMethod.Post, "models/tiny/jobs", body.Json());
        Assert.True((int)started.StatusCode == 202, await started.Content.ReadAsStringAsync());
        var id = Path.GetFileName(started.Headers.Location!.ToString());
        // Looked at past the proxy: a job's status takes operations, too.
        var finished = $"jobs/tiny/{id}/finished.json";
        await Eventually.Async(async () => Assert.NotNull(await store.TryReadAsync(finished, 1 << 20)), 60);
        await Task.Delay(500); // the last message is deleted after that
        return Counted(0, $"pictures/{place}/", $"results/{place}/", $"jobs/tiny/{id}/");
    }

    Task UploadAsync(string folder) => Parallel.ForEachAsync(Enumerable.Range(0, Images), async (i, cancellation) =>
        await store.WriteAsync($"{folder}/{i:000}.png", new(Pictures.Bands((byte)i, 0, 0, 0)), cancellation: cancellation));

    static byte[] Tar()
    {
        var content = new MemoryStream();
        using (var tar = new TarWriter(content, leaveOpen: true))
        {
            for (var i = 0; i < Images; i++)
            {
                var picture = new MemoryStream(Pictures.Bands((byte)i, 0, 0, 0));
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"{i:000}.png") { DataStream = picture });
            }
        }
        return content.ToArray();
    }

    /// <summary>The operations on blobs under some prefixes, and those on messages, of which the takings are as many as the
    /// sendings: asking an empty queue depends on how long nothing came.</summary>
    Operations Counted(int events, params string[] prefixes)
    {
        PassedRequest[] all = [.. passed];
        var blobs = all.Where(request => !request.IsQueue && prefixes.Any(prefix => IsUnder(request, prefix))).ToArray();
        var queue = events > 0 ? "blobtrigger" : "vae-jobs/";
        var messages = all.Where(request => request.IsQueue && request.Path.Contains(queue, StringComparison.Ordinal)
            && request.Path.Contains("/messages", StringComparison.Ordinal)).ToArray();
        double Of(string method, bool isList = false) =>
            blobs.Count(request => request.Method == method && IsList(request) == isList);
        var sent = messages.Count(request => request.Method == "POST");
        return new(Of("PUT"), Of("GET", isList: true), Of("GET"), Of("HEAD"), Of("DELETE"),
            2 * sent + messages.Count(request => request.Method == "DELETE"));
    }

    static bool IsList(PassedRequest request) => request.Query.Contains("comp=list", StringComparison.Ordinal);

    /// <summary>A listing names its prefix in the query.</summary>
    static bool IsUnder(PassedRequest request, string prefix) => IsList(request)
        ? request.Path == prefix.Split('/')[0] && Uri.UnescapeDataString(request.Query)
            .Contains($"prefix={prefix[(prefix.IndexOf('/') + 1)..]}", StringComparison.Ordinal)
        : request.Path.StartsWith(prefix, StringComparison.Ordinal);
}
