using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Azure.Storage.Queues;
using VaeFunctions.Bench.Serving;
using VaeFunctions.LocalCloud;
using VaeFunctions.LocalCloud.Costs;
using VaeFunctions.Registry;

namespace VaeFunctions.Bench.Bulk;

/// <summary><c>bench bulk</c>: many images through <c>./vae serve</c>, each way they can take, beside what the storage alone
/// does.</summary>
sealed class BulkBench(Server server, IBlobStore store, string model, IReadOnlyList<byte[]> files)
{
    /// <summary>Requests that a client of the storage alone has under way, as many as a worker reads ahead.</summary>
    const int Parallelism = 16;

    /// <summary>Images of a TAR of many.</summary>
    const int ShardSize = 20_000;

    static readonly TimeSpan look = TimeSpan.FromSeconds(0.25);

    public static Command Create()
    {
        Option<string> folder = new("--folder") { Description = "Image files, taken again and again", Required = true };
        Option<string> model = new("--model") { Description = "A model of --runs", DefaultValueFactory = _ => "faces-vae" };
        Option<string> runs =
            new("--runs") { Description = "A folder that ./vae train wrote", DefaultValueFactory = _ => "runs" };
        Option<int> archived = new("--archived")
        {
            Description = "Images in TARs of 20,000 at most; 0 leaves that way out",
            DefaultValueFactory = _ => 20_000
        };
        Option<int> loose = new("--loose") { Description = "Loose images for a job", DefaultValueFactory = _ => 20_000 };
        Option<int> dropped = new("--dropped") { Description = "Images for the inbox", DefaultValueFactory = _ => 1000 };
        var command = new Command("bulk", "Images a second by job and inbox, beside the storage alone")
            { folder, model, runs, archived, loose, dropped };
        command.SetAction(async (parsed, cancellation) =>
        {
            var items = DropList.From([parsed.GetRequiredValue(folder)]).Items;
            var files = await Task.WhenAll(items.Take(ShardSize).Select(item => File.ReadAllBytesAsync(item.File, cancellation)));
            var data = Directory.CreateTempSubdirectory("vae-bulk-").FullName;
            try
            {
                var name = parsed.GetValue(model)!;
                await using var server = await Server.FunctionsAsync(data, Path.GetFullPath(parsed.GetValue(runs)!), name,
                    """{"count":1}"""u8.ToArray(), cancellation, "sample", ("Serving__BlobContainers", "pictures"));
                var store = BlobStores.Open(Azurite.ConnectionString(server.StoragePort), new() { Retries = 5 });
                var bench = new BulkBench(server, store, name, files);
                Console.WriteLine($"{Machine.Description}\n\n| {name} | images | images/s | of what the storage allows | "
                    + "operations an image | MB of host and worker at most |\n| --- | --- | --- | --- | --- | --- |");
                if (parsed.GetValue(archived) is > 0 and var inArchives) await bench.ArchivesAsync(inArchives, cancellation);
                if (parsed.GetValue(loose) is > 0 and var images) await bench.LooseAsync(images, cancellation);
                if (parsed.GetValue(dropped) is > 0 and var drops) await bench.InboxAsync(drops, data, cancellation);
            }
            finally
            {
                Directory.Delete(data, recursive: true);
            }
        });
        return command;
    }

    byte[] ContentOf(int i) => files[i % files.Count];

    static string NameOf(int i) => i.ToString("0000000", CultureInfo.InvariantCulture) + ".jpg";

    /// <summary>TARs into Parquet.</summary>
    async Task ArchivesAsync(int images, CancellationToken cancellation)
    {
        for (var from = 0; from < images; from += ShardSize)
        {
            var shard = new MemoryStream();
            await using (var tar = new System.Formats.Tar.TarWriter(shard, leaveOpen: true))
            {
                for (var i = from; i < Math.Min(images, from + ShardSize); i++)
                    tar.WriteEntry(new System.Formats.Tar.UstarTarEntry(System.Formats.Tar.TarEntryType.RegularFile, NameOf(i))
                        { DataStream = new MemoryStream(ContentOf(i)) });
            }
            await store.WriteAsync($"pictures/tar/{from:0000000}.tar", new(shard.ToArray()), cancellation: cancellation);
        }
        var (rate, memory) = await JobAsync("pictures/tar/", images, cancellation);
        Row("TAR → Parquet, encode", images, rate, null, WayIn.All.First(way => way is { Name: "job, archive", Format: "parquet" }),
            memory);
    }

    /// <summary>Loose images into Parquet, beside a client that reads the same blobs and does nothing with them.</summary>
    async Task LooseAsync(int images, CancellationToken cancellation)
    {
        await EachAsync(images, i => store.WriteAsync($"pictures/loose/{NameOf(i)}", new(ContentOf(i)), cancellation: cancellation));
        var before = await ReadAllAsync();
        var (rate, memory) = await JobAsync("pictures/loose/", images, cancellation);
        var storage = (before + await ReadAllAsync()) / 2;
        Row("loose images → Parquet, encode", images, rate, storage,
            WayIn.All.First(way => way is { Name: "job, loose images", Format: "parquet" }), memory);

        Task<double> ReadAllAsync() => EachAsync(images,
            i => store.TryReadAsync($"pictures/loose/{NameOf(i)}", 1 << 24, cancellation));
    }

    /// <summary>Images dropped in the inbox, beside a client that asks the storage for the same operations.</summary>
    async Task InboxAsync(int images, string data, CancellationToken cancellation)
    {
        var way = WayIn.All.First(way => way.Name == "inbox");
        var before = await OperationsAsync();
        var folder = Directory.CreateDirectory(Path.Combine(data, "drops")).FullName;
        for (var i = 0; i < images; i++) await File.WriteAllBytesAsync(Path.Combine(folder, NameOf(i)), ContentOf(i), cancellation);
        var report = await new Inbox(store, model)
            .DropAsync(DropList.From([folder]).Items, TimeSpan.FromSeconds(60), _ => { }, cancellation);
        if (report.Done.Count != images)
            throw new InvalidOperationException($"{report.Done.Count} of {images} dropped images have a result.");
        Row("inbox, reconstruct", images, images / report.Elapsed.TotalSeconds, (before + await OperationsAsync()) / 2, way,
            server.Megabytes);

        async Task<double> OperationsAsync()
        {
            var queue = new QueueClient(Azurite.ConnectionString(server.StoragePort), "bulk-operations");
            await queue.CreateIfNotExistsAsync(cancellationToken: cancellation);
            await store.WriteAsync("bulk/read", new(ContentOf(0)), cancellation: cancellation);
            return await EachAsync(images, async i =>
            {
                for (var write = 0; write < way.Image.Writes; write++)
                    await store.WriteAsync($"bulk/{i}-{write}", new(ContentOf(i)), cancellation: cancellation);
                for (var read = 0; read < way.Image.Reads + way.Image.Others; read++)
                    await store.TryReadAsync("bulk/read", 1 << 24, cancellation);
                await queue.SendMessageAsync("image", cancellation);
                var message = (await queue.ReceiveMessageAsync(cancellationToken: cancellation)).Value;
                await queue.DeleteMessageAsync(message.MessageId, message.PopReceipt, cancellation);
            });
        }
    }

    /// <summary>Images a second, from the call that starts an encoding into Parquet to its end, and the most memory.</summary>
    async Task<(double Rate, double Megabytes)> JobAsync(string input, int images, CancellationToken cancellation)
    {
        using var http = new HttpClient { BaseAddress = new(server.Address, $"/api/models/{model}/") };
        var clock = Stopwatch.StartNew();
        using var started = await http.PostAsJsonAsync("jobs",
            new { operation = "encode", input, output = $"results/{input}", format = "parquet" }, cancellation);
        var answer = await started.Content.ReadAsStringAsync(cancellation);
        if (!started.IsSuccessStatusCode) throw new HttpRequestException(answer);
        var (id, memory) = ((string)JsonNode.Parse(answer)!["id"]!, 0.0);
        while (true)
        {
            var status = (await http.GetFromJsonAsync<JsonNode>($"jobs/{id}", cancellation))!;
            memory = Math.Max(memory, server.Megabytes);
            if ((string)status["state"]! is "completed")
            {
                return (long)status["done"]! == images
                    ? (images / clock.Elapsed.TotalSeconds, memory)
                    : throw new InvalidOperationException($"{status["done"]} of {images} images were encoded: {status}");
            }
            if ((string)status["state"]! is "failed" or "cancelled") throw new InvalidOperationException($"{status}");
            await Task.Delay(look, cancellation);
        }
    }

    /// <summary>How often a second a client does something to image after image.</summary>
    static async Task<double> EachAsync(int images, Func<int, Task> action)
    {
        var clock = Stopwatch.StartNew();
        await Parallel.ForEachAsync(Enumerable.Range(0, images), new ParallelOptions { MaxDegreeOfParallelism = Parallelism },
            async (i, _) => await action(i));
        return images / clock.Elapsed.TotalSeconds;
    }

    static void Row(string name, int images, double rate, double? storage, WayIn way, double memory) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {images:N0} | {rate:F0} | {(storage is null ? "" : $"{rate / storage:P0} of {storage:F0}")} | "
                + $"{way.Of(images).Total / images:0.####} | {memory:F0} |"));
}
