using System.CommandLine;
using System.Globalization;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;

namespace VaeFunctions.Commands;

/// <summary><c>models</c>: what is published, and which version serves.</summary>
static class ModelsCommand
{
    public static Command Create(string served)
    {
        var store = CommonOptions.ServedStore();
        var command = new Command("models", "List models and their versions") { store };
        command.SetAction((parsed, cancellation) => RunAsync(Stores.Open(parsed.GetValue(store) ?? served), cancellation));
        return command;
    }

    static async Task<int> RunAsync(IBlobStore store, CancellationToken cancellation)
    {
        var registry = new ModelRegistry(store);
        var names = await registry.ListModelsAsync(cancellation);
        if (names.Count == 0) Console.WriteLine($"No model is published in {store.Location}. ./vae train RECIPE makes one.");
        else Console.WriteLine($"in {store.Location}:");
        foreach (var name in names)
        {
            Console.WriteLine(name);
            var current = await ReadAsync(() => registry.ReadCurrentAsync(name, cancellation));
            foreach (var version in await registry.ListVersionsAsync(name, cancellation))
            {
                if (await ReadAsync<Manifest?>(
                    async () => await registry.ReadManifestAsync(name, version, cancellation)) is not { } manifest)
                    continue;
                var loss = manifest.Metrics.TryGetValue(Manifest.TestLoss, out var value)
                    ? string.Create(CultureInfo.InvariantCulture, $"{value:F2} of {Plural.Of(manifest.Data.Test, "image")}")
                    : "?";
                var state = version == current?.Version ? "serves"
                    : current?.RolledBack?.Contains(version) == true ? "rolled back"
                    : "";
                Console.WriteLine($"  {state,-11} {version}  {manifest.Kind}  "
                    + $"{manifest.Image}  test loss {loss}  {manifest.Data.Source}");
            }
        }
        return 0;
    }

    /// <summary>What is damaged has a line of its own, and the rest is listed all the same.</summary>
    static async Task<T?> ReadAsync<T>(Func<Task<T?>> read) where T : class?
    {
        try
        {
            return await read();
        }
        catch (ModelFormatException damaged)
        {
            Console.WriteLine($"  damaged: {damaged.Message}");
            return null;
        }
    }
}
