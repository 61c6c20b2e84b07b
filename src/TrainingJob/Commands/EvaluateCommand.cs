using System.CommandLine;
using System.Globalization;
using VaeFunctions.Data;
using VaeFunctions.Evaluation;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;
using VaeFunctions.Training;

namespace VaeFunctions.Commands;

/// <summary><c>evaluate MODEL</c>: all that can be measured of a published version, on its own data or others.</summary>
static class EvaluateCommand
{
    sealed record Request(string Model, string? Version, string? Data, int Draws, int Images, ImageFit? Fit,
        Allowance MaxUnreadable, string? Strangers, string Device, int Threads);

    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "A published model" };
        Option<string?> version = new("--version") { Description = "A version; the serving one unless given" };
        Option<string?> data = CommonOptions.Data();
        var store = CommonOptions.Store();
        var draws = CommonOptions.Count("--draws", 100, 1_000_000, "Latents drawn for each image in the importance-weighted "
            + "bound (k)");
        var images = CommonOptions.Count("--images", 1000, 100_000_000, "Test images that bound is computed of, at most; all "
            + "else takes all test images");
        var (fit, maxUnreadable) = (CommonOptions.Fit(), CommonOptions.MaxUnreadable());
        Option<string?> strangers = new("--strangers")
        {
            Description = "Images of another kind, as in --data: how well the model tells them from the test images",
        };
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var command = new Command("evaluate", "Measure a published version on test images")
        {
            model, version, data, store, draws, images, fit, maxUnreadable, strangers, device, threads,
        };
        command.SetAction((parsed, cancellation) => RunAsync(Stores.Open(parsed.GetRequiredValue(store)),
            new(parsed.GetRequiredValue(model), parsed.GetValue(version), parsed.GetValue(data), parsed.GetValue(draws),
                parsed.GetValue(images), parsed.GetValue(fit), parsed.GetValue(maxUnreadable), parsed.GetValue(strangers),
                parsed.GetRequiredValue(device), parsed.GetValue(threads)),
            cancellation));
        return command;
    }

    static async Task<int> RunAsync(IBlobStore store, Request request, CancellationToken cancellation)
    {
        var registry = new ModelRegistry(store);
        var name = request.Model;
        var version = request.Version ?? await Publisher.ServingVersionAsync(registry, name, cancellation);
        var manifest = await registry.ReadManifestAsync(name, version, cancellation);
        var (recipe, model) =
            await Publisher.LoadAsync(registry, manifest, Devices.Open(request.Device, request.Threads), cancellation);
        var source = request.Data ?? manifest.Data.Source;
        if (request.Strangers is not null && recipe.Model.Classes > 0)
            throw new DataException($"{name} takes labels, which images of another kind do not have; --strangers is for models "
                + "without model.classes.");
        var data = await ImagesOfAsync(source);
        var strangers = request.Strangers is { } other ? await ImagesOfAsync(other) : null;
        var measure = Measure.Of(model, data.Test, recipe, cancellation);
        Line($"{name} {version} on {Plural.Of(data.Test.Count, "test image")} of {source}:");
        Line($"  loss {measure.Loss:F4} per image ({manifest.Loss})");
        Line($"  = {measure.Sum}; in nats, reconstruction {measure.MeanReconstruction:F4}, KL {measure.MeanKl:F4}");
        var effort = new EvaluationOptions(request.Draws, request.Images) { Features = true, Log = Console.WriteLine };
        var evaluation = ModelEvaluation.Of(model, data, recipe, effort, cancellation);
        var metrics = new Dictionary<string, double>(evaluation.Metrics)
        {
            [Manifest.TestLoss] = measure.Loss,
            ["test_reconstruction"] = measure.MeanReconstruction,
            ["test_kl"] = measure.MeanKl,
        };
        Print(evaluation);
        if (strangers is not null)
        {
            var told = Strangers.Of(model, data.Test, strangers, recipe, cancellation);
            var images = Plural.Of(told.Images, "image");
            Line($"  {images} of {request.Strangers} told from {data.Test.Count:N0} test images, AUROC:");
            foreach (var (score, auroc) in told.Auroc) Line($"  {"strangers_" + score,-26} {auroc,12:F4}");
        }
        var file = await new EvaluationFile(name, version, source, data.Fingerprint, metrics, evaluation.KlPerLatent,
            evaluation.Attributes).WriteAsync(store, cancellation);
        if (Kept("nats") != metrics.GetValueOrDefault(ModelEvaluation.Bound + "nats"))
            Line($"  an earlier bound of {Kept("draws"):N0} draws for {Kept("images"):N0} images is kept in place of this one");
        Line($"written to {EvaluationFile.PathOf(name, version)} in {store.Location}");
        return 0;

        Task<DataSplit> ImagesOfAsync(string images) => DataSources.LoadAsync(images,
            Stores.ImagesFor(recipe, images) with
            {
                Fit = request.Fit ?? recipe.Fit,
                MaxUnreadable = request.MaxUnreadable,
                Log = Console.WriteLine,
            },
            cancellation);

        double Kept(string what) => file.Metrics.GetValueOrDefault(ModelEvaluation.Bound + what);
    }

    static void Print(ModelEvaluation evaluation)
    {
        foreach (var (metric, value) in evaluation.Metrics) Line($"  {metric,-26} {value,12:G6}");
        foreach (var (part, error) in evaluation.Anomaly.Quantiles) Line($"  {"error_quantile_" + part,-26} {error,12:G4}");
        var latents = evaluation.KlPerLatent.Select(kl => kl.ToString("F2", CultureInfo.InvariantCulture));
        Line($"  KL of each latent in nats: {string.Join(' ', latents)}");
        if (evaluation.Attributes.Count == 0) return;
        Line($"  Mutual information of attributes and latents over the attribute's entropy:");
        Line($"  {"attribute",-16} {"latent",6} {"best",6} {"second",6} {"gap",6}");
        foreach (var score in evaluation.Attributes)
            Line($"  {score.Name,-16} {score.Latent,6} {score.Best,6:F3} {score.Second,6:F3} {score.Gap,6:F3}");
    }

    static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
