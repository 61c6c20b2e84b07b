using System.CommandLine;
using System.Globalization;
using VaeFunctions.Data;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Commands;

/// <summary><c>evaluate MODEL</c>: the test loss of a published version, on its own data or others.</summary>
static class EvaluateCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "A published model" };
        Option<string?> version = new("--version") { Description = "A version; the serving one unless given" };
        Option<string?> data = CommonOptions.Data();
        var store = CommonOptions.Store();
        Option<bool> resize = CommonOptions.Resize();
        var threads = CommonOptions.Threads();
        var command = new Command("evaluate", "Measure a published version on test images") { model, version, data, store, resize, threads };
        command.SetAction((parsed, cancellation) => RunAsync(
            CommonOptions.OpenStore(parsed.GetRequiredValue(store)), parsed.GetRequiredValue(model), parsed.GetValue(version), parsed.GetValue(data),
            parsed.GetValue(resize), parsed.GetValue(threads), cancellation));
        return command;
    }

    static async Task<int> RunAsync(IBlobStore store, string name, string? version, string? source, bool resize, int threads, CancellationToken cancellation)
    {
        var registry = new ModelRegistry(store);
        version ??= await CommonOptions.ServingVersionAsync(registry, name, cancellation);
        var manifest = await registry.ReadManifestAsync(name, version, cancellation);
        var (recipe, model) = await Publisher.LoadAsync(registry, manifest, threads, cancellation);
        source ??= manifest.Data.Source;
        var data = await DataSources.LoadAsync(source, new()
        {
            Shape = model.Image,
            Resize = resize || recipe.Resize,
            Seed = recipe.Seed,
            Binarize = recipe.Binarize,
            Blobs = CommonOptions.DataStore(source),
            Log = Console.WriteLine,
        }, cancellation);
        var loss = Evaluation.Run(model, data.Test, recipe, cancellation);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name} {version} on {data.Test.Count} test images of {source}: loss {loss.Loss:F4} per image, reconstruction {loss.MeanReconstruction:F4}, KL {loss.MeanKl:F4} ({manifest.Loss})"));
        return 0;
    }
}
