using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using VaeFunctions.Data;
using VaeFunctions.Evaluation;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;
using VaeFunctions.Training;

namespace VaeFunctions.Commands;

/// <summary><c>anomaly-benchmark RECIPE</c>: one-class anomaly detection, label by label.</summary>
static class AnomalyBenchmarkCommand
{
    sealed record Request(string Recipe, string? Data, int? Epochs, ulong? Seed, ImageFit? Fit, Allowance MaxUnreadable,
        string Device, int Threads);

    public static Command Create()
    {
        var recipe = new Argument<string>("recipe") { Description = "A recipe, or the path of a .json file" };
        Option<string?> data = CommonOptions.Data();
        var store = CommonOptions.Store();
        Option<int?> epochs = new("--epochs")
        {
            Description = "Passes over the training images of a label; the recipe's number unless given",
        };
        Option<ulong?> seed = new("--seed") { Description = "What initial weights, shuffling and noise follow from" };
        var (fit, maxUnreadable) = (CommonOptions.Fit(), CommonOptions.MaxUnreadable());
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var command = new Command("anomaly-benchmark",
            "Train on one label at a time and tell the others apart: AUROC for each and their mean")
        {
            recipe, data, store, epochs, seed, fit, maxUnreadable, device, threads,
        };
        command.SetAction((parsed, cancellation) => RunAsync(
            Stores.Open(parsed.GetRequiredValue(store)),
            new(parsed.GetRequiredValue(recipe), parsed.GetValue(data), parsed.GetValue(epochs), parsed.GetValue(seed),
                parsed.GetValue(fit), parsed.GetValue(maxUnreadable), parsed.GetRequiredValue(device), parsed.GetValue(threads)),
            cancellation));
        return command;
    }

    static async Task<int> RunAsync(IBlobStore store, Request request, CancellationToken cancellation)
    {
        var (name, recipe) = RecipeBook.Load(request.Recipe);
        recipe = recipe with
        {
            Epochs = request.Epochs ?? recipe.Epochs,
            Seed = request.Seed ?? recipe.Seed,
            Fit = request.Fit ?? recipe.Fit,
        };
        recipe.Check(request.Recipe);
        var source = request.Data ?? recipe.Data
            ?? throw new RecipeException(
                $"Recipe {request.Recipe} does not say where its images are. Give --data: {DataSources.Kinds}");
        var images = Stores.ImagesFor(recipe, source) with { MaxUnreadable = request.MaxUnreadable, Log = Console.WriteLine };
        var data = await DataSources.LoadAsync(source, images, cancellation);
        var watch = Stopwatch.StartNew();
        var benchmark = new AnomalyBenchmark(recipe, data, Devices.Open(request.Device, request.Threads));
        benchmark.Check();
        Console.WriteLine(benchmark.Protocol);
        Line($"{"label",-16} {"trained on",10} {"error",8} {"-ELBO",8} {"joint",8}");
        List<ClassScore> scores = [];
        for (var label = 0; label < data.Train.LabelNames.Count; label++)
        {
            if (await benchmark.RunAsync(label, cancellation) is not { } score)
            {
                Line($"{data.Train.LabelNames[label],-16} has no images to train on or to test with; left out");
                continue;
            }
            Line($"{score.Label,-16} {score.TrainingImages,10} {score.Error,8:F4} {score.Elbo,8:F4} {score.Joint,8:F4}");
            scores.Add(score);
        }
        if (scores.Count == 0)
            throw new DataException($"{source}: no label has images both to train on and to test with, so nothing was measured. "
                + "Add images, or take a data set with a part to test with.");
        var file = new AnomalyBenchmarkFile(name, source, data.Fingerprint, benchmark.Protocol, watch.Elapsed.TotalMinutes,
            scores);
        Line($"{"mean",-16} {"",10} {file.Error,8:F4} {file.Elbo,8:F4} {file.Joint,8:F4}   in {file.Minutes:F1} minutes");
        await file.WriteAsync(store, cancellation);
        Line($"written to {AnomalyBenchmarkFile.PathOf(name)} in {store.Location}");
        return 0;
    }

    static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
