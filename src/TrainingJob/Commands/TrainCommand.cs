using System.CommandLine;
using System.Globalization;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;

namespace VaeFunctions.Commands;

/// <summary><c>train RECIPE</c>: data, model, training, publication.</summary>
static class TrainCommand
{
    public static Command Create()
    {
        var options = new TrainOptions();
        var command = new Command("train", "Train a recipe, publish the result and let it serve");
        options.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
            await RunAsync(await options.RequestAsync(parsed, cancellation), cancellation));
        return command;
    }

    static async Task<int> RunAsync(TrainingRequest request, CancellationToken cancellation)
    {
        var outcome = await TrainingSession.RunAsync(request with { Log = TrainingLog.OnConsole() }, cancellation);
        Tell(outcome, request.Store);
        return outcome.End == TrainingEnd.Interrupted ? CommandRunner.Interrupted : 0;
    }

    /// <summary>What came of a training, and what can be done with it.</summary>
    internal static void Tell(TrainingOutcome outcome, IBlobStore store)
    {
        var (name, version) = (outcome.Model, outcome.Version);
        if (outcome.End == TrainingEnd.Unchanged)
            Console.WriteLine($"unchanged: {name} {version} was trained on these images with this recipe; there is "
                + "nothing to do");
        if (outcome.Manifest is { } manifest)
        {
            Console.WriteLine($"published models/{name}/{version} in {store.Location}");
            Console.WriteLine($"  report: {store.Location.TrimEnd('/')}/models/{name}/{version}/report.html");
            if (manifest.Prior == Prior.None)
                Console.WriteLine("  it has no prior, so it cannot be sampled: there are too few training images, or too many "
                    + "latents, to say which codes are likely.");
            Console.WriteLine(outcome.Serves
                ? $"  it serves now. {outcome.Reason}"
                : $"  it does not serve. {outcome.Reason} --force overrides.");
            if (store is FolderBlobStore && outcome.Serves)
                Console.WriteLine($"  ./vae serve --runs {store.Location} takes it over when it starts; for one that is "
                    + $"running: ./vae publish {name} --from {store.Location}");
        }
        // An alert on models that grow old looks for this line.
        if (outcome.Serving is { } serving)
            Console.WriteLine($"serving: {name} {serving.Version}, promoted {Ago(DateTimeOffset.UtcNow - serving.Changed)}");
    }

    /// <summary>How long ago something was. The alert reads whole days, and what is younger is not old.</summary>
    internal static string Ago(TimeSpan age) => age switch
    {
        { TotalMinutes: < 1 } => "just now", // also where a clock was set back
        { TotalMinutes: < 2 } => "a minute ago",
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(age.TotalMinutes):0} minutes ago"),
        { TotalHours: < 2 } => "an hour ago",
        { TotalDays: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(age.TotalHours):0} hours ago"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(age.TotalDays):0} days ago"),
    };
}
