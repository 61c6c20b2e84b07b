using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;
using VaeFunctions.Training;

namespace VaeFunctions.Commands;

/// <summary><c>train RECIPE</c>: data, model, training, publication.</summary>
static class TrainCommand
{
    /// <summary>The value of --resume for whoever starts the same command again and again.</summary>
    const string Auto = "auto";

    public static Command Create()
    {
        var recipe = new Argument<string>("recipe")
        {
            Description = $"One of {string.Join(", ", RecipeBook.Names)}, or the path of a .json file; "
                + $"'{AutoRecipe.Name}', or none, looks at the images of --data and makes one for them",
            DefaultValueFactory = _ => AutoRecipe.Name,
        };
        Option<string?> data = CommonOptions.Data(), model = new("--model")
        {
            Description = "The name to publish under; the recipe's name unless given, "
                + "or that of the images' folder where there is none",
        };
        var store = CommonOptions.Store();
        Option<int?> epochs = new("--epochs")
        {
            Description = "Passes over the training images, in all; the recipe's number unless given",
        };
        Option<double?> minutes = new("--minutes")
        {
            Description = "Train as many epochs as this time is enough for, evaluation and publication included",
        };
        minutes.Validators.Add(result =>
        {
            if (CommonOptions.TryGet<double?>(result, out var value) && value is not (null or (> 0 and < 1e6)))
                result.AddError("--minutes must be above 0 and below 1,000,000.");
        });
        Option<int?> batchSize = new("--batch-size") { Description = "Images that share a step" };
        Option<float?> learningRate = new("--learning-rate") { Description = "The optimizer's step size" };
        Option<ulong?> seed = new("--seed")
        {
            Description = "What initial weights, shuffling, noise and data splits follow from",
        };
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var tf32 = CommonOptions.Tf32();
        Option<string?> resume = new("--resume")
        {
            Description = $"Go on from a run's checkpoint: the newest, or the one named; '{Auto}' goes on where that is possible "
                + "and starts anew where not",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<bool> ifChanged = new("--if-changed")
        {
            Description = "Do nothing if the newest version was trained on the same images with the same recipe",
        };
        var force = CommonOptions.Force();
        var (fit, maxUnreadable) = (CommonOptions.Fit(), CommonOptions.MaxUnreadable());
        var log = new Option<string?>("--log")
        {
            Description = "tensorboard: write each epoch's figures and pictures also as TensorBoard reads them, "
                + "beside the run's metrics.csv",
        };
        log.AcceptOnlyFromAmong("tensorboard");
        Option<bool> noPublish = new("--no-publish") { Description = "Only train; keep the checkpoint" };
        var tolerance = CommonOptions.Checked("--tolerance", 0.01,
            "How much worse than the serving version's the test loss may be, as a fraction",
            value => value is >= 0 and < 1e6, "0 or more, and finite");
        var saveEvery = CommonOptions.Checked("--save-every", 60.0, "Seconds between checkpoints within an epoch",
            value => value is > 0 and < 1e6, "above 0 and below 1,000,000 seconds");

        var command = new Command("train", "Train a recipe, publish the result and let it serve")
        {
            recipe, data, store, model, epochs, minutes, batchSize, learningRate, seed, device, threads, tf32, resume, ifChanged,
            force, fit, maxUnreadable, log, noPublish, tolerance, saveEvery,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(minutes) is null) return;
            if (result.GetResult(epochs) is not null)
                result.AddError("--minutes and --epochs both decide how long a training is; give one of them.");
            if (result.GetResult(resume) is not null)
                result.AddError(
                    "A run that --resume goes on with is as long as it was to be when it began; leave --minutes out.");
        });
        command.SetAction(async (parsed, cancellation) => await RunAsync(await RequestAsync(parsed, cancellation), cancellation));
        return command;

        async Task<TrainingRequest> RequestAsync(ParseResult parsed, CancellationToken cancellation)
        {
            var (named, place) = (parsed.GetRequiredValue(recipe), Stores.Open(parsed.GetRequiredValue(store)));
            var request = named == AutoRecipe.Name
                ? await AutoRequest.OfAsync(parsed.GetValue(data), place, Console.WriteLine,
                    parsed.GetResult(minutes) is not null ? minutes.Name
                        : parsed.GetResult(epochs) is not null ? epochs.Name
                        : null,
                    cancellation)
                : TrainingRequest.Of(named, place);
            var run = parsed.GetValue(resume);
            return request with
            {
                Model = parsed.GetValue(model) ?? request.Model,
                Data = parsed.GetValue(data),
                Epochs = parsed.GetValue(epochs),
                Budget = parsed.GetValue(minutes) is { } budget ? TimeSpan.FromMinutes(budget) : null,
                BatchSize = parsed.GetValue(batchSize),
                LearningRate = parsed.GetValue(learningRate),
                Seed = parsed.GetValue(seed),
                Fit = parsed.GetValue(fit),
                MaxUnreadable = parsed.GetValue(maxUnreadable),
                Device = parsed.GetRequiredValue(device),
                Threads = parsed.GetValue(threads),
                Tf32 = parsed.GetValue(tf32),
                Resume = parsed.GetResult(resume) is null ? Resume.Never : run == Auto ? Resume.WherePossible : Resume.Always,
                Run = run == Auto ? null : run,
                ResumeCommand = (again, elsewhere) => elsewhere is null
                    ? $"{Retyped(parsed, resume.Name, minutes.Name)} --resume {again}"
                    : $"{Retyped(parsed, resume.Name, minutes.Name, store.Name)} --out {Quoted(elsewhere)} --resume {again}",
                IfChanged = parsed.GetValue(ifChanged),
                TensorBoard = parsed.GetValue(log) is not null,
                Publish = !parsed.GetValue(noPublish),
                Force = parsed.GetValue(force),
                Tolerance = parsed.GetValue(tolerance),
                SaveEvery = TimeSpan.FromSeconds(parsed.GetValue(saveEvery)),
            };
        }
    }

    /// <summary>The command as it was typed, for a shell to read, without some of its options.</summary>
    internal static string Retyped(ParseResult parsed, params string[] without)
    {
        HashSet<Token> left = [.. parsed.CommandResult.Children.OfType<OptionResult>()
            .Where(option => without.Contains(option.Option.Name) && option.IdentifierToken is not null)
            .SelectMany(option => option.Tokens.Append(option.IdentifierToken!))];
        return string.Join(' ', parsed.Tokens.Where(token => !left.Contains(token)).Select(token => Quoted(token.Value))
            .Prepend("./vae"));
    }

    /// <summary>A word that a shell takes as one.</summary>
    static string Quoted(string word) =>
        word.Length > 0
        && word.All(letter => char.IsLetterOrDigit(letter) || "-_./:=,+@%".Contains(letter, StringComparison.Ordinal))
            ? word
            : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";

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
                Console.WriteLine($"  ./vae serve takes it over when it starts; for one that is running: ./vae publish {name} "
                    + $"--from {store.Location}");
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
