using System.CommandLine;
using VaeFunctions.Evaluation;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;

namespace VaeFunctions.Commands;

/// <summary><c>results</c>: a page with pictures from what has been trained and evaluated; docs/results.md is one.</summary>
static class ResultsCommand
{
    static readonly string[] Pictures = ["samples", "reconstructions"];

    public static Command Create()
    {
        var store = CommonOptions.Store();
        Option<string> to = new("--to")
        {
            Description = "The folder to write results.md and images/results to",
            DefaultValueFactory = _ => "results",
        };
        Option<string> claims = new("--claims")
        {
            Description = "What the page has to show; docs/results.json unless given",
            DefaultValueFactory = _ => Path.Combine(AppContext.BaseDirectory, "results.json"),
        };
        Option<string> machine = new("--machine")
        {
            Description = "Where the models were trained, in words; this machine unless given",
            DefaultValueFactory = _ => $"{Environment.ProcessorCount} cores of {Processor.Name}",
        };
        var command = new Command("results", "Write a page of results from what has been trained and evaluated")
        {
            store, to, claims, machine,
        };
        command.SetAction((parsed, cancellation) =>
            RunAsync(Stores.Open(parsed.GetRequiredValue(store)), parsed.GetRequiredValue(to),
            parsed.GetRequiredValue(claims), parsed.GetRequiredValue(machine), cancellation));
        return command;
    }

    static async Task<int> RunAsync(
        IBlobStore store, string to, string claimsPath, string machine, CancellationToken cancellation)
    {
        var claims = Claims.Parse(await File.ReadAllTextAsync(claimsPath, cancellation), claimsPath);
        var registry = new ModelRegistry(store);
        var (models, pictures) = (new Dictionary<string, MeasuredModel>(), new Dictionary<string, IReadOnlyList<string>>());
        foreach (var name in claims.Sections.SelectMany(section => section.Claims)
            .SelectMany(claim => (string?[])[claim.Model, claim.Against]).OfType<string>().Distinct())
        {
            models[name] = await MeasuredModel.ReadAsync(registry, name, cancellation);
            if (models[name].Manifest is { } manifest)
                pictures[name] = await CopyPicturesAsync(registry, manifest, to, cancellation);
        }
        Directory.CreateDirectory(to);
        var page = Path.Combine(to, "results.md");
        await File.WriteAllTextAsync(page, new ResultsPage(models).Write(claims, machine, pictures), cancellation);
        var missing = models.Values.Where(model => model.Manifest is null && model.Anomalies is null).Select(model => model.Name)
            .ToArray();
        Console.WriteLine($"wrote {Path.GetFullPath(page)} from {store.Location}"
            + (missing.Length > 0 ? $"; not trained: {string.Join(", ", missing)}" : ""));
        return 0;
    }

    /// <returns>Links to the pictures from the page.</returns>
    static async Task<string[]> CopyPicturesAsync(
        ModelRegistry registry, Manifest manifest, string to, CancellationToken cancellation)
    {
        List<string> links = [];
        Directory.CreateDirectory(Path.Combine(to, "images", "results"));
        foreach (var picture in Pictures.Where(picture => manifest.Files.Any(file => file.Name == picture + ".png")))
        {
            var link = $"images/results/{manifest.Model}-{picture}.png";
            await File.WriteAllBytesAsync(Path.Combine(to, link),
                (await registry.ReadFileAsync(manifest, picture + ".png", cancellation)).ToArray(), cancellation);
            links.Add(link);
        }
        return [.. links];
    }
}
