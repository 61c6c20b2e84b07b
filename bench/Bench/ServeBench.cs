using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using VaeFunctions.Bench.Serving;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;

namespace VaeFunctions.Bench;

/// <summary><c>bench serve</c>: latents in, a PNG grid out, beside a Node server and beside ONNX Runtime with nothing around
/// it.</summary>
sealed class ServeBench : IAsyncDisposable
{
    const int Grid = 16, ColdStarts = 3;

    readonly string folder = Directory.CreateTempSubdirectory("vae-bench-").FullName;
    readonly List<IAsyncDisposable> processes = [];

    public static Command Create()
    {
        Option<string> model = new("--model")
        {
            Description = "A model of --runs, or a recipe that is trained for an epoch",
            DefaultValueFactory = _ => "faces-vae"
        };
        Option<string> runs =
            new("--runs") { Description = "A folder that ./vae train wrote", DefaultValueFactory = _ => "runs" };
        Option<int> clients =
            new("--clients") { Description = "Clients that ask at the same time", DefaultValueFactory = _ => 32 };
        Option<double> seconds = new("--seconds") { Description = "Length of a turn", DefaultValueFactory = _ => 5 };
        Option<int> rounds =
            new("--rounds") { Description = "Rounds that count, after one that warms up", DefaultValueFactory = _ => 5 };
        Option<int> requests =
            new("--requests") { Description = "Requests over which the memory is watched", DefaultValueFactory = _ => 10_000 };
        var command = new Command("serve",
            "Latents in, a PNG grid out, beside a Node server and bare ONNX Runtime") { model, runs, clients, seconds, rounds,
            requests };
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var bench = new ServeBench();
            await bench.RunAsync(parsed.GetValue(model)!, Path.GetFullPath(parsed.GetValue(runs)!),
                Math.Max(1, parsed.GetValue(clients)),
                TimeSpan.FromSeconds(Math.Max(0.1, parsed.GetValue(seconds))), Math.Max(1, parsed.GetValue(rounds)),
                Math.Max(10, parsed.GetValue(requests)), cancellation);
        });
        return command;
    }

    async Task RunAsync(
        string model, string runs, int clients, TimeSpan time, int rounds, int requests, CancellationToken cancellation)
    {
        var published = new FolderBlobStore(Path.Combine(folder, "published"));
        var manifest = await PublishAsync(model, runs, published, cancellation);
        var decoder = Path.Combine(folder, "decoder.onnx");
        await File.WriteAllBytesAsync(decoder,
            (await new ModelRegistry(published).ReadFileAsync(manifest, "decoder.onnx", cancellation)).ToArray(), cancellation);
        float[][] latents =
            [.. Enumerable.Range(0, Grid).Select(i => new RandomStream(1, "bench", (ulong)i).Gaussians(manifest.LatentSize))];
        byte[] many = Body(latents), one = Body(latents[..1]);

        await (await FunctionsAsync("cold", many)).DisposeAsync(); // publishes
        var (ours, cold) = await ColdAsync(() => FunctionsAsync("cold", many));
        processes.Add(ours);
        var (node, nodeCold) = await ColdAsync(
            () => Server.NodeAsync(decoder, many, Path.Combine(folder, "node.log"), cancellation));
        processes.Add(node);
        var single = await FunctionsAsync("single", one);
        processes.Add(single);
        var singleAlone = await FunctionsAsync("single-alone", one, ("Serving__LargestBatch", "1"));
        processes.Add(singleAlone);
        var worker = await WorkerAlone.StartAsync(
            published.Location, manifest.Model, Directory.CreateDirectory(Path.Combine(folder, "worker")).FullName, cancellation);
        processes.Add(worker);
        Check(ours, node, many);

        Console.WriteLine($"{Machine.Description}; Node.js {await Machine.OutputAsync("node", "--version")}\n");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{manifest.Model}: {manifest.Image}, {manifest.LatentSize} latents; {clients} clients; the median of {rounds} "
                + $"turns of {time.TotalSeconds} s.\n"));
        using var bareOne = new BareRuntime(decoder, latents, 1);
        using var bareMany = new BareRuntime(decoder, latents, Environment.ProcessorCount);
        using var bareDrawn = new BareRuntime(decoder, latents, Environment.ProcessorCount, manifest.Image);
        var drawn = Bare("the same, and the PNG written", bareDrawn);
        Contender[] bare = [Bare("ONNX Runtime alone, a loop on all cores", bareOne),
            Bare("ONNX Runtime alone, a loop on each core", bareMany), drawn];
        var theirs = Asked("Node: onnxruntime-node, sharp", node, many);
        Contender[] grids = // of 16 latents, the largest run, none shares one
            [Asked("VaeFunctions", ours, many), AskedAlone(many), theirs, .. bare];
        Contender[] singles = [Asked("VaeFunctions", single, one), AskedAlone(one),
            Asked("VaeFunctions, no request shares a run", singleAlone, one)];
        for (var round = -1; round < rounds; round++)
        {
            foreach (var contender in (Contender[])[.. grids, .. singles])
            {
                cancellation.ThrowIfCancellationRequested();
                await contender.RunAsync(time, counts: round >= 0);
            }
        }
        Console.WriteLine($"| {Grid} latents a request | requests/s | of a loop on each core, with PNG | times Node | p50 ms | "
            + "p99 ms | p99 / p50 | a core's ms each |\n| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var contender in grids)
            Console.WriteLine(Row(contender,
                string.Create(CultureInfo.InvariantCulture,
                    $" {contender.Rate / drawn.Rate:P0} | {contender.Rate / theirs.Rate:F2} |")));
        Console.WriteLine("\n| 1 latent a request | requests/s | p50 ms | p99 ms | p99 / p50 | a core's ms each |\n| --- | "
            + "--- | --- | --- | --- | --- |");
        foreach (var contender in singles) Console.WriteLine(Row(contender));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"\nFrom the start of the process to the first picture: {cold:F2} s; Node {nodeCold:F2} s (the middle of "
                + $"{ColdStarts}).\n"));
        await WatchMemoryAsync(ours, many, clients, requests, cancellation);

        Task<Server> FunctionsAsync(string name, byte[] body, params (string, string)[] settings) => Server.FunctionsAsync(
            Directory.CreateDirectory(Path.Combine(folder, name))
                .FullName, published.Location, manifest.Model, body, cancellation, settings: settings);

        Contender Asked(string name, Server server, byte[] body) =>
            new(name, server.Processes, turn => server.LoadAsync(body, clients, turn));

        static Contender Bare(string name, BareRuntime runtime) => new(name, [Environment.ProcessId], runtime.RunAsync);

        Contender AskedAlone(byte[] body) => new("VaeFunctions, at the worker's own port", worker.Processes,
            turn => worker.LoadAsync(body, clients, turn));
    }

    /// <summary>The model as it lies in the runs, or trained for an epoch, published to a registry.</summary>
    async Task<Manifest> PublishAsync(string model, string runs, IBlobStore published, CancellationToken cancellation)
    {
        if (!await PublishedModel.ExistsAsync(model, runs, cancellation))
        {
            runs = Path.Combine(folder, "runs");
            await TrainingSession.RunAsync(
                TrainingRequest.Of(model, new FolderBlobStore(runs)) with { Epochs = 1 }, cancellation);
        }
        return await PublishedModel.CopyAsync(model, runs, published, cancellation);
    }

    static string Row(Contender of, string ratios = "") => string.Create(CultureInfo.InvariantCulture,
        $"| {of.Name} | {of.Rate:F0} |{ratios} {of.MedianMilliseconds:F1} | {of.SlowMilliseconds:F1} | "
            + $"{of.SlowMilliseconds / of.MedianMilliseconds:F1} | {of.Work:F2} |");

    static byte[] Body(float[][] latents) => Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { latents }));

    /// <summary>The last of some servers that were started one after the other, and the middle of how long each took.</summary>
    static async Task<(Server Server, double Seconds)> ColdAsync(Func<Task<Server>> start)
    {
        var seconds = new List<double>();
        while (true)
        {
            var server = await start();
            seconds.Add(server.ColdStart.TotalSeconds);
            if (seconds.Count == ColdStarts) return (server, Machine.Median(seconds));
            await server.DisposeAsync();
        }
    }

    /// <exception cref="InvalidOperationException">The servers do not give the same pictures, so they do not do the same
    /// work.</exception>
    static void Check(Server ours, Server node, byte[] body)
    {
        var pictures = new List<Image>();
        foreach (var server in new[] { ours, node })
        {
            using var client = new Client(server.Address, body);
            pictures.Add(ImageCodec.Decode(client.Ask()));
        }
        if (pictures[0].Pixels.Length != pictures[1].Pixels.Length
            || pictures[0].Pixels.Zip(pictures[1].Pixels).Any(pair => Math.Abs(pair.First - pair.Second) > 1))
            throw new InvalidOperationException(
                $"The servers answer different pictures, {pictures[0].Shape} and {pictures[1].Shape}.");
    }

    static async Task WatchMemoryAsync(Server server, byte[] body, int clients, int requests, CancellationToken cancellation)
    {
        const int Looks = 10;
        Console.WriteLine("| requests | MB |\n| --- | --- |");
        for (var look = 0; look <= Looks; look++)
        {
            Console.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"| {(long)look * requests / Looks:N0} | {server.Megabytes:F0} |"));
            cancellation.ThrowIfCancellationRequested();
            if (look < Looks) await server.LoadAsync(body, clients, TimeSpan.MaxValue, requests / Looks);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes.AsEnumerable().Reverse()) await process.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
