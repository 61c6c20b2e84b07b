using System.Globalization;
using Spectre.Console;
using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.LocalCloud.Host;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;

namespace VaeFunctions.LocalCloud;

/// <summary>One run of the demo: its own storage and functions on free ports, a folder of pictures, and nothing left
/// running.</summary>
sealed class Demo(string folder, string recipe) : IAsyncDisposable
{
    const int Faces = 48;
    const int Shown = 12;

    readonly string temporary = Directory.CreateTempSubdirectory("vae-demo-").FullName;
    readonly Stages stages = new();
    readonly List<string> files = [];
    readonly Stack<IAsyncDisposable> running = [];
    readonly List<DropItem> bare = []; // faces without glasses

    /// <summary>Runs all of it; storage and functions run on until this is disposed of.</summary>
    /// <returns>The explorer's address.</returns>
    public async Task<string> RunAsync(int? epochs, string? data, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        CountSetUp();
        var connectionString = await stages.RunAsync("start the storage emulator", () => StartStorageAsync(cancellation));
        var store = BlobStores.Open(connectionString);
        var manifest =
            await stages.RunAsync($"train {recipe} and publish it", () => TrainAsync(epochs, data, store, cancellation));
        var port = await stages.RunAsync("start the functions", () => StartFunctionsAsync(connectionString, cancellation));
        var faces = await stages.RunAsync("draw faces that the model has not seen", () => DrawFacesAsync(cancellation));
        var inbox = await stages.RunAsync(
            $"drop {Plural.Of(faces.Count, "image")} into the inbox",
            () => DropAsync(faces, manifest.Model, store, cancellation));
        using var functions = new FunctionsClient(port, manifest.Model);
        var samples = await stages.RunAsync("sample new faces over HTTP", () => SampleAsync(functions, cancellation));
        var pairs = await stages.RunAsync("reconstruct faces over HTTP", () => ReconstructAsync(faces, functions, cancellation));
        var highlights = await stages.RunAsync("play with the latent space", () =>
            new HighlightsMaker(manifest, functions, WriteAsync, cancellation).MakeAsync(faces, bare, new ModelRegistry(store)));
        var metrics = await stages.RunAsync("fetch the training report", () => FetchReportAsync(manifest, store, cancellation));

        var summary = new DemoReport
        {
            Recipe = recipe,
            Model = manifest.Model,
            Version = manifest.Version,
            TestLoss = manifest.Metrics[Manifest.TestLoss],
            Loss = manifest.Loss,
            Images = manifest.Data.Train,
            Seconds = stages.Done.ToDictionary(stage => stage.Name, stage => Math.Round(stage.Seconds, 2)),
            Inbox = new InboxCount(faces.Count, inbox.Done.Count, inbox.Rejected.Count),
            Files = [.. files.Append("index.html")],
        };
        var results = inbox.Done.Order(StringComparer.Ordinal).Select(name => new Pair($"inbox/{name}", $"results/{name}.png"));
        var pictures = new DemoPictures(metrics, samples, pairs, [.. results], inbox.Rejected, highlights);
        await File.WriteAllTextAsync(Path.Combine(folder, "index.html"), Gallery.Page(summary, pictures), cancellation);
        await File.WriteAllTextAsync(Path.Combine(folder, "demo.json"), summary.ToJson(), cancellation);
        AnsiConsole.WriteLine();
        AnsiConsole.MarkupInterpolated($"[green]Done in {summary.TotalSeconds:0} s[/]: test loss {summary.TestLoss:0.00}, ");
        AnsiConsole.MarkupLineInterpolated($"{inbox.Done.Count} results, {inbox.Rejected.Count} rejected.");
        AnsiConsole.MarkupLineInterpolated($"Look at [bold]{Path.Combine(folder, "index.html")}[/]");
        return Explorer.Address(port, manifest.Model);
    }

    // The vae script says when it began to restore and build.
    void CountSetUp()
    {
        if (double.TryParse(Environment.GetEnvironmentVariable("VaeStarted"), NumberStyles.Float, CultureInfo.InvariantCulture,
            out var started))
            stages.Skip("set up", Math.Max(0, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0 - started));
    }

    async Task<string> StartStorageAsync(CancellationToken cancellation)
    {
        var port = Port.Free();
        running.Push(await Azurite.StartAsync(port, Path.Combine(temporary, "storage"), cancellation));
        return Azurite.ConnectionString(port);
    }

    async Task<Manifest> TrainAsync(int? epochs, string? data, IBlobStore store, CancellationToken cancellation)
    {
        var outcome = await TrainingSession.RunAsync(
            TrainingRequest.Of(recipe, store) with { Epochs = epochs, Data = data, Log = TrainingLog.OnConsole() }, cancellation);
        // only a training that was stopped has none
        return outcome.Manifest ?? throw new OperationCanceledException(cancellation);
    }

    async Task<int> StartFunctionsAsync(string connectionString, CancellationToken cancellation)
    {
        var functions =
            await LocalHost.StartAsync(FunctionsHost.Options(port: 0, workers: 1, connectionString, temporary), cancellation);
        running.Push(functions);
        await FunctionsHost.WarmUpAsync(functions, cancellation);
        return functions.Address.Port;
    }

    // A few dozen faces, and one file that ends in the middle, to show what the inbox does with it.
    async Task<List<DropItem>> DrawFacesAsync(CancellationToken cancellation)
    {
        var inbox = Path.Combine(folder, "inbox");
        Directory.CreateDirectory(inbox);
        var faces = (await DataSources.LoadAsync($"faces:{Faces}", new() { Seed = 20260101 }, cancellation)).Train;
        var items = new List<DropItem>();
        var glasses = faces.AttributeNames.ToList().IndexOf("glasses");
        for (var i = 0; i < Faces; i++)
        {
            items.Add(await KeepAsync($"face-{i:0000}.png", ImageCodec.EncodePng(faces.Image(i))));
            if (faces.Attributes![i, glasses] < 0.5f)
                bare.Add(items[^1]);
        }
        var whole = await File.ReadAllBytesAsync(items[0].File, cancellation);
        items.Add(await KeepAsync("cut-in-half.png", whole[..(whole.Length / 2)]));
        return items;

        async Task<DropItem> KeepAsync(string name, byte[] bytes) => new(await WriteAsync($"inbox/{name}", bytes), name);
    }

    async Task<DropReport> DropAsync(List<DropItem> faces, string model, IBlobStore store, CancellationToken cancellation)
    {
        var inbox = new Inbox(store, model);
        var report = await inbox.DropAsync(faces, TimeSpan.FromSeconds(60), _ => { }, cancellation);
        if (report.Unanswered.Count > 0)
            throw new LocalCloudException($"{report.Unanswered.Count} of {faces.Count} images got no answer: "
                + $"{string.Join(", ", report.Unanswered.Take(5))} …");
        if (report.Rejected.Count != 1)
            throw new LocalCloudException(
                $"one image is broken, but {report.Rejected.Count} were rejected: {string.Join("; ", report.Rejected.Take(5))}");
        await inbox.FetchAsync(report, Path.Combine(folder, "results"), cancellation);
        files.AddRange(report.Done.SelectMany(name => new[] { $"results/{name}.png", $"results/{name}.json" }));
        return report;
    }

    async Task<List<SampleGrid>> SampleAsync(FunctionsClient functions, CancellationToken cancellation)
    {
        var grids = new List<SampleGrid>();
        foreach (var (seed, temperature) in new[] { (1, 1.0), (2, 1.0), (1, 0.6), (1, 1.4) })
        {
            var file = string.Create(CultureInfo.InvariantCulture, $"samples-seed{seed}-temperature{temperature:0.0}.png");
            await WriteAsync(file, await functions.SampleAsync(36, seed, temperature, cancellation));
            grids.Add(new SampleGrid(file, seed, temperature));
        }
        return grids;
    }

    async Task<List<Pair>> ReconstructAsync(List<DropItem> faces, FunctionsClient functions, CancellationToken cancellation)
    {
        var pairs = new List<Pair>();
        foreach (var face in faces.Take(Shown))
        {
            var after = $"reconstructed/{face.Name}";
            await WriteAsync(
                after, await functions.ReconstructAsync(await File.ReadAllBytesAsync(face.File, cancellation), cancellation));
            pairs.Add(new Pair($"inbox/{face.Name}", after));
        }
        return pairs;
    }

    async Task<Metrics> FetchReportAsync(Manifest manifest, IBlobStore store, CancellationToken cancellation)
    {
        var registry = new ModelRegistry(store);
        foreach (var name in (string[])["metrics.csv", "report.html"])
            await WriteAsync(name, (await registry.ReadFileAsync(manifest, name, cancellation)).ToArray());
        return Metrics.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "metrics.csv"), cancellation));
    }

    async Task<string> WriteAsync(string name, byte[] bytes)
    {
        var file = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllBytesAsync(file, bytes);
        files.Add(name);
        return file;
    }

    /// <summary>Stops what runs, the latest first, so that the functions never see the storage go.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!running.TryPop(out var latest))
        {
            Directory.Delete(temporary, recursive: true);
            return;
        }
        try
        {
            await latest.DisposeAsync();
        }
        finally
        {
            await DisposeAsync(); // what ran before it, also where this one did not end well
        }
    }
}
