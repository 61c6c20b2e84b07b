using System.CommandLine;
using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Azure.Storage.Queues;
using VaeFunctions.Bench.Serving;
using VaeFunctions.Imaging;
using VaeFunctions.LocalCloud;
using VaeFunctions.LocalCloud.Costs;
using VaeFunctions.Registry;

namespace VaeFunctions.Bench.Bulk;

/// <summary><c>bench bulk</c>: many images through <c>./vae serve</c>, each way they can take, beside what the storage alone
/// does.</summary>
sealed class BulkBench(Server server, IBlobStore store, string model, IReadOnlyList<byte[]> files)
{
    /// <summary>Requests that a client of the storage alone has under way: a worker reads 8 of each of two slices.</summary>
    const int Parallelism = 16;

    /// <summary>Images of a TAR, its bytes, and the bytes of images that are held here to be taken again and again.</summary>
    const int ShardSize = 20_000, ShardBytes = 1 << 30, HeldBytes = 1 << 28;

    /// <summary>The largest file, which the functions accept unless told otherwise.</summary>
    const int FileBytes = 16 << 20;

    static readonly TimeSpan look = TimeSpan.FromSeconds(0.25), patience = TimeSpan.FromSeconds(60);

    /// <summary>How long a job may have nothing new to tell: its slices are worked off side by side, so the first is done
    /// late.</summary>
    static readonly TimeSpan jobPatience = TimeSpan.FromMinutes(5);

    readonly IReadOnlyList<int> processes = server.Processes;

    public static Command Create()
    {
        Option<string> folder =
            new("--folder") { Description = "Image files, up to 256 MB, taken again and again", Required = true };
        Option<string> model = new("--model") { Description = "A model of --runs", DefaultValueFactory = _ => "faces-vae" };
        Option<string> runs =
            new("--runs") { Description = "A folder that ./vae train wrote", DefaultValueFactory = _ => "runs" };
        Option<int> archived = new("--archived")
        {
            Description = $"Images in TARs of {ShardSize:N0} at most; 0, as of the others, leaves that way out",
            DefaultValueFactory = _ => 20_000
        };
        Option<int> loose = new("--loose") { Description = "Loose images for a job", DefaultValueFactory = _ => 20_000 };
        Option<int> dropped = new("--dropped") { Description = "Images for the inbox", DefaultValueFactory = _ => 1000 };
        var command = new Command("bulk", "Images a second by job and inbox, beside the storage alone")
            { folder, model, runs, archived, loose, dropped };
        command.SetAction(async (parsed, cancellation) =>
        {
            var files = await ReadAsync(parsed.GetRequiredValue(folder), cancellation);
            var data = Directory.CreateTempSubdirectory("vae-bulk-").FullName;
            try
            {
                await RunAsync(files, parsed.GetValue(model)!, Path.GetFullPath(parsed.GetValue(runs)!), data,
                    parsed.GetValue(archived), parsed.GetValue(loose), parsed.GetValue(dropped), cancellation);
            }
            finally
            {
                Directory.Delete(data, recursive: true);
            }
        });
        return command;
    }

    static async Task<IReadOnlyList<byte[]>> ReadAsync(string folder, CancellationToken cancellation)
    {
        var (files, held) = (new List<byte[]>(), 0L);
        foreach (var item in DropList.From([folder]).Items.Where(item => ImageFormats.IsImageName(item.File)))
        {
            var size = new FileInfo(item.File).Length;
            if (size is 0 or > FileBytes || held + size > HeldBytes) continue;
            files.Add(await File.ReadAllBytesAsync(item.File, cancellation));
            held += size;
        }
        return files is []
            ? throw LocalCloudException.WrongInput($"{folder} has no image of at most {FileBytes:N0} bytes.")
            : files;
    }

    static async Task RunAsync(IReadOnlyList<byte[]> files, string model, string runs, string data, int archived, int loose,
        int dropped, CancellationToken cancellation)
    {
        if (!await PublishedModel.ExistsAsync(model, runs, cancellation))
            throw LocalCloudException.WrongInput(
                $"There is no model {model} in {runs}; ./vae train makes one, and --model and --runs name another.");
        var published = new FolderBlobStore(Path.Combine(data, "published"));
        await PublishedModel.CopyAsync(model, runs, published, cancellation);
        var storage = Directory.CreateDirectory(Path.Combine(data, "storage")).FullName;
        await using var server = await Server.FunctionsAsync(storage, published.Location, model, """{"count":1}"""u8.ToArray(),
            cancellation, "sample", ("Serving__BlobContainers", "pictures"));
        var store = BlobStores.Open(Azurite.ConnectionString(server.StoragePort), new() { Retries = 5 });
        var bench = new BulkBench(server, store, model, files);
        await bench.WarmUpAsync(cancellation);
        Console.WriteLine($"{Machine.Description}\n\n| {model} | images | images/s | of what the storage allows | "
            + "operations an image, reckoned | MB of host and worker at most |\n| --- | --- | --- | --- | --- | --- |");
        if (archived > 0) await bench.ArchivesAsync(archived, cancellation);
        if (loose > 0) await bench.LooseAsync(loose, cancellation);
        if (dropped > 0) await bench.InboxAsync(dropped, cancellation);
    }

    double Megabytes => processes.Sum(process => Machine.Megabytes(process, "VmRSS"));

    byte[] ContentOf(int i) => files[i % files.Count];

    static string NameOf(int i) => i.ToString("0000000", CultureInfo.InvariantCulture) + ".jpg";

    /// <summary>What is met for the first time, a graph, a message, code, takes longer.</summary>
    async Task WarmUpAsync(CancellationToken cancellation)
    {
        await UploadTarsAsync("pictures/warm/", 500, cancellation);
        await JobAsync("pictures/warm/", 500, cancellation);
    }

    /// <summary>TARs into Parquet.</summary>
    async Task ArchivesAsync(int images, CancellationToken cancellation)
    {
        await UploadTarsAsync("pictures/tar/", images, cancellation);
        var (rate, memory) = await JobAsync("pictures/tar/", images, cancellation);
        Row("TAR → Parquet, encode", images, rate, null,
            WayIn.All.First(way => way is { Name: "job, archive", Format: "parquet" }), memory);
    }

    async Task UploadTarsAsync(string folder, int images, CancellationToken cancellation)
    {
        for (var next = 0; next < images;)
        {
            var (first, shard) = (next, new MemoryStream());
            await using (var tar = new TarWriter(shard, leaveOpen: true))
            {
                for (; next < images && next < first + ShardSize && shard.Length < ShardBytes; next++)
                {
                    var image = new MemoryStream(ContentOf(next));
                    tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, NameOf(next)) { DataStream = image });
                }
            }
            var content = new BinaryData(shard.GetBuffer().AsMemory(0, (int)shard.Length));
            await store.WriteAsync($"{folder}{first:0000000}.tar", content, cancellation: cancellation);
        }
    }

    /// <summary>Loose images into Parquet, beside a client that reads the same blobs and does nothing with them.</summary>
    async Task LooseAsync(int images, CancellationToken cancellation)
    {
        await EachAsync(images,
            i => store.WriteAsync($"pictures/loose/{NameOf(i)}", new(ContentOf(i)), cancellation: cancellation));
        var before = await ReadAllAsync();
        var (rate, memory) = await JobAsync("pictures/loose/", images, cancellation);
        var storage = (before + await ReadAllAsync()) / 2;
        Row("loose images → Parquet, encode", images, rate, storage,
            WayIn.All.First(way => way is { Name: "job, loose images", Format: "parquet" }), memory);

        Task<double> ReadAllAsync() => EachAsync(images,
            i => store.TryReadAsync($"pictures/loose/{NameOf(i)}", FileBytes, cancellation));
    }

    /// <summary>Images dropped in the inbox, beside a client that asks the storage for the same operations and the
    /// upload.</summary>
    async Task InboxAsync(int images, CancellationToken cancellation)
    {
        var way = WayIn.All.First(way => way.Name == "inbox");
        var before = await OperationsAsync();
        var memory = 0.0;
        var folder = Directory.CreateTempSubdirectory("vae-bulk-drops-").FullName;
        try
        {
            for (var i = 0; i < images; i++)
                await File.WriteAllBytesAsync(Path.Combine(folder, NameOf(i)), ContentOf(i), cancellation);
            var report = await new Inbox(store, model).DropAsync(DropList.From([folder]).Items, patience,
                _ => memory = Math.Max(memory, Megabytes), cancellation);
            if (report.Done.Count != images)
                throw new LocalCloudException($"{report.Done.Count} of {images} dropped images have a result, "
                    + $"{report.Unanswered.Count} no answer. {report.Rejected.Values.FirstOrDefault()}");
            Row("inbox, reconstruct", images, images / report.Elapsed.TotalSeconds, (before + await OperationsAsync()) / 2, way,
                memory);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        async Task<double> OperationsAsync()
        {
            var queue = new QueueClient(Azurite.ConnectionString(server.StoragePort), "bulk-operations");
            await queue.CreateIfNotExistsAsync(cancellationToken: cancellation);
            await store.WriteAsync("bulk/read", new(ContentOf(0)), cancellation: cancellation);
            return await EachAsync(images, async i =>
            {
                for (var write = 0; write <= way.Image.Writes; write++)
                    await store.WriteAsync($"bulk/{i}-{write}", new(ContentOf(i)), cancellation: cancellation);
                for (var read = 0; read < way.Image.Reads; read++)
                    await store.TryReadAsync("bulk/read", FileBytes, cancellation);
                for (var other = 0; other < way.Image.Others; other++)
                    await store.TryReadAsync("bulk/none", FileBytes, cancellation);
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
        if (!started.IsSuccessStatusCode) throw new LocalCloudException($"The job was not taken: {answer}");
        var (id, memory, done, news) = ((string)JsonNode.Parse(answer)!["id"]!, 0.0, 0L, TimeSpan.Zero);
        while (true)
        {
            var status = (await http.GetFromJsonAsync<JsonNode>($"jobs/{id}", cancellation))!;
            memory = Math.Max(memory, Megabytes);
            if ((long)status["done"]! > done) (done, news) = ((long)status["done"]!, clock.Elapsed);
            if ((string)status["state"]! is "completed" && done == images)
                return (images / clock.Elapsed.TotalSeconds, memory);
            if ((string)status["state"]! is "completed" or "failed" or "cancelled" || clock.Elapsed - news > jobPatience)
                throw new LocalCloudException($"{done} of {images} images were encoded: {status.ToJsonString()}");
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
