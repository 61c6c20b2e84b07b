using System.Text.Json.Nodes;
using Microsoft.Playwright;
using VaeFunctions.Imaging;
using VaeFunctions.LocalCloud;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;

namespace VaeFunctions.Tests;

/// <summary>A browser, and a running <c>serve</c> with four small models: one with concepts, one that labels condition, one with
/// a codebook, and a grey one that knows of no labels.</summary>
public sealed class ExplorerFixture : IAsyncLifetime
{
    public const string Faces = "faces", Labelled = "labelled", Codes = "codes", Grey = "grey";

    /// <summary>A label that would run a script if a page read it as HTML.</summary>
    public const string HostileLabel = "<img src=x onerror=window.hacked=1>";

    const string Chromium = "/usr/bin/chromium";

    TemporaryFolder Folder { get; } = new();

    Command? serve;
    IPlaywright? playwright;
    IBrowser? browser;
    readonly Dictionary<bool, IBrowserContext> contexts = []; // by whether it is a phone; each keeps what it has loaded

    internal Session Session { get; } = new(Port.Free(), Port.Free());

    internal string Runs => Folder.File("runs");

    internal string Api => $"http://localhost:{Session.Port}/api/";

    public string Page(string model) => $"{Api}explorer#model={model}";

    public async Task InitializeAsync()
    {
        if (!File.Exists(Chromium))
            return;
        await TrainAsync();
        serve = Command.Start(Command.LocalCloud, "serve",
            "--port", $"{Session.Port}", "--storage-port", $"{Session.StoragePort}",
            "--data", Folder.File("data"), "--runs", Runs);
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Chromium, Args = ["--no-sandbox"] });
        await serve.WaitForAsync("Ctrl-C stops");
    }

    /// <exception cref="SkipException">There is no browser.</exception>
    public void DemandBrowser() => Skip.If(browser is null, $"{Chromium} is not installed");

    /// <summary>Waits until the models are warmed up.</summary>
    public async Task ReadyAsync()
    {
        DemandBrowser();
        using var http = new HttpClient();
        while (!(await http.GetAsync($"{Api}health/ready")).IsSuccessStatusCode)
            await Task.Delay(50);
    }

    /// <summary>An open page.</summary>
    /// <exception cref="SkipException">There is no browser.</exception>
    public async Task<ExplorerPage> OpenAsync(string address, bool phone = false, Func<IPage, Task>? prepare = null)
    {
        DemandBrowser();
        if (!contexts.TryGetValue(phone, out var context))
            contexts[phone] = context = await NewContextAsync(phone);
        return await ExplorerPage.OpenAsync(await context.NewPageAsync(), address, prepare);
    }

    async Task<IBrowserContext> NewContextAsync(bool phone)
    {
        var context = await browser!.NewContextAsync(new()
        {
            ViewportSize = phone ? new() { Width = 390, Height = 844 } : new() { Width = 1440, Height = 900 },
            HasTouch = phone,
            ReducedMotion = ReducedMotion.Reduce,
            AcceptDownloads = true,
        });
        context.SetDefaultTimeout(60_000);
        return context;
    }

    public async Task DisposeAsync()
    {
        if (browser is not null)
            await browser.DisposeAsync();
        playwright?.Dispose();
        if (serve is not null)
            await serve.DisposeAsync();
        Folder.Dispose();
    }

    async Task TrainAsync()
    {
        await TrainAsync(Faces, "faces-vae", "faces:800", epochs: 2);
        await TrainAsync(Codes, Recipe(
            """
            { "description": "Few codes.", "model": { "kind": "vq-vae", "image": { "height": 32, "width": 32, "channels": 3 },
              "channels": [8, 8], "blocks": 1, "codes": 16, "depth": 4, "priorChannels": 8, "priorBlocks": 1,
              "likelihood": { "kind": "squared-error", "low": -1, "high": 1 } },
              "batchSize": 32, "epochs": 1, "optimizer": { "kind": "adam", "learningRate": 0.002 } }
            """), "faces:320", epochs: 4);
        var grey = """
            { "description": "Grey bars.", "model": { "kind": "mlp-vae", "image": { "height": 12, "width": 16, "channels": 1 },
              "hidden": [32], "latent": 6, "classes": CLASSES, "likelihood": { "kind": "bernoulli" } },
              "batchSize": 16, "epochs": 3, "optimizer": { "kind": "adam", "learningRate": 0.005 } }
            """;
        var labelled = Recipe(grey.Replace("CLASSES", "2", StringComparison.Ordinal));
        await TrainAsync(Labelled, labelled, $"folder:{Bars(["tall", HostileLabel])}");
        await TrainAsync(Grey, Recipe(grey.Replace("CLASSES", "0", StringComparison.Ordinal)), $"folder:{Bars([""])}");
    }

    async Task TrainAsync(string model, string recipe, string data, int epochs = 1)
    {
        var request = TrainingRequest.Of(recipe, new FolderBlobStore(Runs)) with { Model = model, Data = data, Epochs = epochs };
        var outcome = await TrainingSession.RunAsync(request, CancellationToken.None);
        Assert.True(outcome.Manifest is not null, $"{model} is not published");
    }

    string Recipe(string json)
    {
        var path = Folder.File($"{Guid.NewGuid()}.json");
        File.WriteAllText(path, JsonNode.Parse(json)!.ToJsonString());
        return path;
    }

    /// <summary>Sixty pictures with a bright bar at some place for each label: upright for the first, lying for the
    /// second.</summary>
    string Bars(string[] labels)
    {
        var root = Folder.File($"bars-{labels.Length}");
        foreach (var (label, name) in labels.Index())
        {
            Directory.CreateDirectory(Path.Combine(root, name));
            for (var i = 0; i < 60; i++)
            {
                byte[] pixels = [.. Enumerable.Range(0, 12 * 16).Select(place =>
                    (byte)((label == 0 ? place % 16 - i % 14 : place / 16 - i % 10) is 0 or 1 ? 230 : 20 + i / 14 * 15))];
                File.WriteAllBytes(Path.Combine(root, name, $"{i:00}.png"), ImageCodec.EncodePng(new Image(16, 12, 1, pixels)));
            }
        }
        return root;
    }
}
