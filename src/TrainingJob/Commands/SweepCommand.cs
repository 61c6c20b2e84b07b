using System.CommandLine;
using System.Globalization;
using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;
using VaeFunctions.Sweeps;
using VaeFunctions.Training;

namespace VaeFunctions.Commands;

/// <summary><c>sweep RECIPE</c>: trains every combination of some settings and publishes the best.</summary>
static class SweepCommand
{
    sealed record Request(string Recipe, string Out)
    {
        public required string[] Settings { get; init; }

        public string? Trials { get; init; }

        public string? Data { get; init; }

        public string? Model { get; init; }

        public int? Epochs { get; init; }

        public ImageFit? Fit { get; init; }

        public Allowance MaxUnreadable { get; init; }

        public required string Device { get; init; }

        public int Threads { get; init; }

        public bool Tf32 { get; init; }

        public int Tries { get; init; }

        public TimeSpan Patience { get; init; }

        public bool Force { get; init; }
    }

    public static Command Create()
    {
        var recipe = new Argument<string>("recipe")
        {
            Description = $"What the trials begin with: one of {string.Join(", ", RecipeBook.Names)}, or the path of a "
                + ".json file",
        };
        Option<string[]> settings = new("--set")
        {
            Description = "A key of the recipe and its values, such as optimizer.learningRate=1e-3,3e-4; all "
                + "combinations are tried",
            DefaultValueFactory = _ => [],
        };
        Option<string?> trials = new("--trials")
        {
            Description = "A file with a list of trials instead, or besides: "
                + """[{"model.latent": 8}, {"model.latent": 16, "epochs": 5}]""",
        };
        Option<string?> data = CommonOptions.Data(), model = new("--model")
        {
            Description = "The name to publish the best under; the recipe's name unless given",
        };
        var store = CommonOptions.Store();
        Option<int?> epochs = new("--epochs")
        {
            Description = "Passes over the training images of every trial; the recipe's number unless given",
        };
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var tf32 = CommonOptions.Tf32();
        var tries = CommonOptions.Count("--tries", 3, 100, "How often a trial may take its process down before it is given up");
        var patience = CommonOptions.Count("--patience", 120, 86400,
            "On a storage account: seconds of silence after which a process counts as dead and its trial goes to another");
        var force = CommonOptions.Force();
        var (fit, maxUnreadable) = (CommonOptions.Fit(), CommonOptions.MaxUnreadable());
        var command = new Command("sweep",
            "Train a recipe with different settings and publish the best. "
            + "With --out blob any number of processes that are started with the same command share the trials; started again, "
            + "it goes on")
        {
            recipe, settings, trials, data, store, model, epochs, device, threads, tf32, tries, patience, force, fit,
            maxUnreadable,
        };
        command.SetAction((parsed, cancellation) => RunAsync(new(parsed.GetRequiredValue(recipe), parsed.GetRequiredValue(store))
        {
            Settings = parsed.GetRequiredValue(settings),
            Trials = parsed.GetValue(trials),
            Data = parsed.GetValue(data),
            Model = parsed.GetValue(model),
            Epochs = parsed.GetValue(epochs),
            Fit = parsed.GetValue(fit),
            MaxUnreadable = parsed.GetValue(maxUnreadable),
            Device = parsed.GetRequiredValue(device),
            Threads = parsed.GetValue(threads),
            Tf32 = parsed.GetValue(tf32),
            Tries = parsed.GetValue(tries),
            Patience = TimeSpan.FromSeconds(parsed.GetValue(patience)),
            Force = parsed.GetValue(force),
        }, cancellation));
        return command;
    }

    static async Task<int> RunAsync(Request request, CancellationToken cancellation)
    {
        // One that is not there is refused before a trial counts as tried.
        Devices.Open(request.Device, request.Threads, request.Tf32);
        var (name, recipe) = RecipeBook.Load(request.Recipe);
        recipe = recipe with { Epochs = request.Epochs ?? recipe.Epochs, Fit = request.Fit ?? recipe.Fit };
        var source = request.Data ?? recipe.Data
            ?? throw new RecipeException($"Recipe {name} does not say where its images are. Give --data: {DataSources.Kinds}");
        var list = request.Trials is null ? null : await File.ReadAllTextAsync(request.Trials, cancellation);
        var sweep = Sweep.Of(request.Model ?? name, source, name, recipe, request.Settings, list);
        var store = Stores.Open(request.Out);
        var state = new SweepState(store, sweep);
        var before = await state.ResultsAsync(cancellation);
        Console.WriteLine($"{sweep.Name}: {Plural.Of(sweep.Trials.Count, "trial")}, of which "
            + $"{Plural.Of(before.Count, "has", "have")} ended; {store.Location}");
        if (await state.PublicationAsync(cancellation) is { Done: true } done)
        {
            Show([.. before.Values]);
            Console.WriteLine($"Trial {done.Trial} is published already.");
            return 0;
        }

        var queue = await OpenQueueAsync(store, $"sweep-{sweep.Id}", request.Patience, cancellation);
        var training = new TrialTraining(sweep, new(name, recipe, store)
        {
            Data = source,
            MaxUnreadable = request.MaxUnreadable,
            Device = request.Device,
            Threads = request.Threads,
            Tf32 = request.Tf32,
            Log = TrainingLog.OnConsole(),
        });
        var run = new SweepRun(sweep, state, queue, training.TrainAsync, Console.WriteLine) { MaxTries = request.Tries };
        var complete = await run.RunAsync(cancellation);
        var results = await state.ResultsAsync(cancellation);
        Show([.. results.Values]);
        if (!complete)
        {
            Console.WriteLine($"Other processes have {Plural.Of(sweep.Trials.Count - results.Count, "trial")} yet; the last of "
                + "them publishes. Should they die, start this again.");
            return 0;
        }
        if (TrialResult.Ranked(results.Values).First() is not { TestLoss: not null } best)
            throw new TrainingException(
                $"Every trial failed; nothing is published. To try them again, delete checkpoints/{sweep.Name}/.");
        await new SweepPublication(state, PublishAsync, Console.WriteLine).RunAsync(best, cancellation);
        await queue.DeleteAsync(cancellation);
        return 0;

        async Task PublishAsync(TrialResult trial, CancellationToken stop) =>
            TrainCommand.Tell(await training.PublishAsync(trial, request.Force, stop), store);
    }

    static async Task<ITrialQueue> OpenQueueAsync(
        IBlobStore store, string name, TimeSpan patience, CancellationToken cancellation)
    {
        if (store is FolderBlobStore) return new LocalTrials();
        return await StorageTrials.OpenAsync(
            BlobStores.QueuesFromSettings(BlobStores.Environment).GetQueueClient(name), patience, cancellation);
    }

    static void Show(IReadOnlyCollection<TrialResult> results)
    {
        var width = results.Max(result => (int?)result.Overrides.Length) ?? 0;
        Line($"{"trial",5}  {"settings".PadRight(width)}  {"test loss",10}  {"epochs",6}  {"seconds",8}");
        foreach (var result in TrialResult.Ranked(results))
        {
            var settings = result.Overrides.PadRight(width);
            if (result.TestLoss is { } loss)
                Line($"{result.Trial,5}  {settings}  {loss,10:G6}  {result.Epochs,6}  {result.Seconds,8:F1}");
            else
                Line($"{result.Trial,5}  {settings}  {result.Failure}");
        }

        static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
    }
}
