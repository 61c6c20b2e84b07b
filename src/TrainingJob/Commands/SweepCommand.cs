using System.CommandLine;
using System.Globalization;
using Azure.Identity;
using VaeFunctions.Data;
using VaeFunctions.Registry;
using VaeFunctions.Sweeps;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Commands;

/// <summary><c>sweep RECIPE</c>: trains every combination of some settings and publishes the best. Each training is the command <c>train</c>.</summary>
static class SweepCommand
{
    /// <summary>How long a publication may take before another process may try.</summary>
    static readonly TimeSpan PublicationPatience = TimeSpan.FromMinutes(30);

    sealed record Request(string Recipe, string[] Settings, string? Trials, string? Data, string Out, string? Model, int? Epochs, string Device, int Threads, bool Tf32, int Tries, int Patience, bool Force);

    public static Command Create()
    {
        var recipe = new Argument<string>("recipe") { Description = $"What the trials begin with: one of {string.Join(", ", RecipeBook.Names)}, or the path of a .json file" };
        Option<string[]> settings = new("--set") { Description = "A key of the recipe and its values, such as optimizer.learningRate=1e-3,3e-4; all combinations are tried", DefaultValueFactory = _ => [] };
        Option<string?> trials = new("--trials") { Description = """A file with a list of trials instead, or besides: [{"model.latent": 8}, {"model.latent": 16, "epochs": 5}]""" };
        Option<string?> data = CommonOptions.Data(), model = new("--model") { Description = "The name to publish the best under; the recipe's name unless given" };
        var store = CommonOptions.Store();
        Option<int?> epochs = new("--epochs") { Description = "Passes over the training images of every trial; the recipe's number unless given" };
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var tf32 = CommonOptions.Tf32();
        var tries = CommonOptions.Count("--tries", 3, 100, "How often a trial may take its process down before it is given up");
        var patience = CommonOptions.Count("--patience", 120, 86400, "On a storage account: seconds of silence after which a process counts as dead and its trial goes to another");
        var force = CommonOptions.Force();
        var command = new Command("sweep",
            "Train a recipe with different settings and publish the best. With --out blob any number of processes that are started with the same command share the trials; started again, it goes on")
        {
            recipe, settings, trials, data, store, model, epochs, device, threads, tf32, tries, patience, force,
        };
        command.SetAction((parsed, cancellation) => RunAsync(new(
            parsed.GetRequiredValue(recipe), parsed.GetRequiredValue(settings), parsed.GetValue(trials), parsed.GetValue(data), parsed.GetRequiredValue(store),
            parsed.GetValue(model), parsed.GetValue(epochs),
            parsed.GetRequiredValue(device), parsed.GetValue(threads), parsed.GetValue(tf32), parsed.GetValue(tries), parsed.GetValue(patience), parsed.GetValue(force)), cancellation));
        return command;
    }

    static async Task<int> RunAsync(Request request, CancellationToken cancellation)
    {
        await Task.Yield(); // as in training: Ctrl-C is heeded only from here on
        Devices.Open(request.Device, request.Threads, request.Tf32); // one that is not there is refused before a trial counts as tried
        var (name, recipe) = RecipeBook.Load(request.Recipe);
        recipe = recipe with { Epochs = request.Epochs ?? recipe.Epochs };
        var source = request.Data ?? recipe.Data ?? throw new RecipeException($"Recipe {name} does not say where its images are. Give --data: {DataSources.Kinds}");
        var list = request.Trials is null ? null : await File.ReadAllTextAsync(request.Trials, cancellation);
        var sweep = Sweep.Of(request.Model ?? name, source, name, recipe, request.Settings, list);
        var store = CommonOptions.OpenStore(request.Out);
        ITrialQueue queue = store is FolderBlobStore ? new LocalTrials()
            : await StorageTrials.OpenAsync($"sweep-{sweep.Id}", TimeSpan.FromSeconds(request.Patience), BlobStores.FromEnvironment, () => new DefaultAzureCredential(), cancellation) as ITrialQueue ?? new LocalTrials();
        var state = new SweepState(store, sweep);
        var recipes = Directory.CreateTempSubdirectory("vae-sweep-");
        try
        {
            Console.WriteLine($"{sweep.Name}: {sweep.Trials.Count} trials, of which {(await state.ResultsAsync(cancellation)).Count} have ended; {store.Location}");
            var run = new SweepRun(sweep, state, queue, TrainAsync, Console.WriteLine) { MaxTries = request.Tries };
            var complete = await run.RunAsync(cancellation);
            var results = await state.ResultsAsync(cancellation);
            Show([.. results.Values]);
            if (!complete)
            {
                Console.WriteLine($"Other processes have {sweep.Trials.Count - results.Count} trials yet; the last of them publishes. Should they die, start this again.");
                return 0;
            }
            var code = await PublishBestAsync(results.Values);
            if (code == 0) await queue.DeleteAsync(cancellation);
            return code;
        }
        finally
        {
            recipes.Delete(recursive: true);
        }

        async Task<TrialResult?> TrainAsync(Trial trial, CancellationToken stop)
        {
            try
            {
                var code = await TrainCommandAsync(trial, sweep.NameOf(trial), stop, "--resume", "auto", "--no-publish");
                if (code == CommandRunner.Interrupted) return null;
                if (code != 0) throw new StorageException($"Trial {trial.Number} could not be kept; start the sweep again when the storage answers.");
            }
            catch (OperationCanceledException)
            {
                return null;
            }
            catch (Exception e) when (e is TrainingException or ShapeException or CheckpointException or ArgumentException or OutOfMemoryException)
            {
                return new(trial.Number, trial.Overrides, Failure: e.Message);
            }
            var run = await Checkpoint.NewestRunAsync(store, sweep.NameOf(trial), stop);
            var checkpoint = await Checkpoint.ReadAsync(store, sweep.NameOf(trial), run!, stop);
            var (history, epoch) = (checkpoint.State.History, checkpoint.Recipe.Published(checkpoint.State.History));
            return new(trial.Number, trial.Overrides, epoch.Test.Loss, null, run, checkpoint.DataFingerprint, history.Count, history.Sum(past => past.Seconds));
        }

        async Task<int> TrainCommandAsync(Trial trial, string model, CancellationToken stop, params string[] more)
        {
            var file = Path.Combine(recipes.FullName, $"{trial.Number:000}.json");
            await File.WriteAllTextAsync(file, trial.Recipe.ToJson(), stop);
            string[] where = ["--device", request.Device, "--threads", $"{request.Threads}", "--tf32", request.Tf32 ? "true" : "false"];
            return await TrainCommand.Create().Parse([file, "--model", model, "--data", sweep.Data, "--out", request.Out, .. where, .. more])
                .InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stop);
        }

        async Task<int> PublishBestAsync(IEnumerable<TrialResult> results)
        {
            if (Ranked(results).FirstOrDefault() is not { TestLoss: not null } best)
            {
                await Console.Error.WriteLineAsync("Error: Every trial failed; nothing is published.");
                return CommandRunner.Failed;
            }
            if (results.Where(result => result.TestLoss is not null).Select(result => result.DataFingerprint).Distinct().Count() > 1)
            {
                await Console.Error.WriteLineAsync("Error: The trials were measured on different images, so nothing says which is best; the images have changed meanwhile, or a setting changes the split (seed). Nothing is published.");
                return CommandRunner.Failed;
            }
            if (!await state.ClaimPublicationAsync(best.Trial, PublicationPatience, cancellation))
            {
                var done = await state.PublicationAsync(cancellation) is { Done: true };
                Console.WriteLine(done ? $"Trial {best.Trial} is published already." : "Another process publishes the best just now.");
                return 0;
            }
            var code = CommandRunner.Failed;
            try
            {
                var trial = sweep.Trials[best.Trial - 1];
                Console.WriteLine($"publishing trial {best.Trial}: {best.Overrides}");
                // As a run of the model that ended, which train publishes through the gate.
                var checkpoint = await store.TryReadAsync(Checkpoint.PathOf(sweep.NameOf(trial), best.Run!), Array.MaxLength, cancellation)
                    ?? throw new CheckpointException($"The checkpoint of trial {best.Trial} is gone; delete checkpoints/{sweep.Name}/{best.Trial:000}.json to train it again.");
                await store.WriteAsync(Checkpoint.PathOf(sweep.Model, best.Run!), checkpoint.Content, default, cancellation);
                code = await TrainCommandAsync(trial, sweep.Model, cancellation, ["--resume", best.Run!, "--force", request.Force ? "true" : "false"]);
            }
            finally
            {
                await state.WritePublicationAsync(new(best.Trial, DateTimeOffset.UtcNow, code == 0), CancellationToken.None);
            }
            return code;
        }
    }

    static IEnumerable<TrialResult> Ranked(IEnumerable<TrialResult> results) => results.OrderBy(result => result.TestLoss ?? double.PositiveInfinity).ThenBy(result => result.Trial);

    static void Show(IReadOnlyCollection<TrialResult> results)
    {
        var width = results.Max(result => (int?)result.Overrides.Length) ?? 0;
        Line($"{"trial",5}  {"settings".PadRight(width)}  {"test loss",10}  {"epochs",6}  {"seconds",8}");
        foreach (var result in Ranked(results))
        {
            if (result.TestLoss is { } loss) Line($"{result.Trial,5}  {result.Overrides.PadRight(width)}  {loss,10:G6}  {result.Epochs,6}  {result.Seconds,8:F1}");
            else Line($"{result.Trial,5}  {result.Overrides.PadRight(width)}  {result.Failure}");
        }

        static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
    }
}
