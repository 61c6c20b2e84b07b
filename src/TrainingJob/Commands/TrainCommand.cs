using System.CommandLine;
using System.Globalization;
using VaeFunctions.Data;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Report;
using VaeFunctions.Training;

namespace VaeFunctions.Commands;

/// <summary><c>train RECIPE</c>: data, model, training, publication.</summary>
static class TrainCommand
{
    /// <summary>The value of --resume for whoever starts the same command again and again.</summary>
    const string Auto = "auto";

    sealed record Request(string Recipe, string? Data, string Out, string? Model, int? Epochs, int? BatchSize, float? LearningRate,
        ulong? Seed, string Device, int Threads, bool Tf32, string? Resume, bool IfChanged, bool Force, bool Resize, bool Publish, double Tolerance, double SaveEvery);

    public static Command Create()
    {
        var recipe = new Argument<string>("recipe") { Description = $"One of {string.Join(", ", RecipeBook.Names)}, or the path of a .json file" };
        Option<string?> data = CommonOptions.Data(), model = new("--model") { Description = "The name to publish under; the recipe's name unless given" };
        var store = CommonOptions.Store();
        Option<int?> epochs = new("--epochs") { Description = "Passes over the training images, in all; the recipe's number unless given" };
        Option<int?> batchSize = new("--batch-size") { Description = "Images that share a step" };
        Option<float?> learningRate = new("--learning-rate") { Description = "The optimizer's step size" };
        Option<ulong?> seed = new("--seed") { Description = "What initial weights, shuffling, noise and data splits follow from" };
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var tf32 = CommonOptions.Tf32();
        Option<string?> resume = new("--resume")
        {
            Description = $"Go on from a run's checkpoint: the newest, or the one named; '{Auto}' goes on where that is possible and starts anew where not",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<bool> ifChanged = new("--if-changed") { Description = "Do nothing if the newest version was trained on the same images with the same recipe" };
        var force = CommonOptions.Force();
        var resize = CommonOptions.Resize();
        Option<bool> noPublish = new("--no-publish") { Description = "Only train; keep the checkpoint" };
        Option<double> tolerance = new("--tolerance")
        {
            Description = "How much worse than the serving version's the test loss may be, as a fraction",
            DefaultValueFactory = _ => 0.01,
            Validators = { result => { if (!(result.GetValueOrDefault<double>() is >= 0 and < 1e6)) result.AddError("--tolerance must be 0 or more, and finite."); } },
        };
        Option<double> saveEvery = new("--save-every")
        {
            Description = "Seconds between checkpoints within an epoch",
            DefaultValueFactory = _ => 60,
            Validators = { result => { if (!(result.GetValueOrDefault<double>() is > 0 and < 1e6)) result.AddError("--save-every must be above 0 and below 1,000,000 seconds."); } },
        };

        var command = new Command("train", "Train a recipe, publish the result and let it serve")
        {
            recipe, data, store, model, epochs, batchSize, learningRate, seed, device, threads, tf32, resume, ifChanged, force, resize, noPublish, tolerance, saveEvery,
        };
        command.SetAction((parsed, cancellation) => RunAsync(new(
            parsed.GetRequiredValue(recipe), parsed.GetValue(data), parsed.GetRequiredValue(store), parsed.GetValue(model), parsed.GetValue(epochs),
            parsed.GetValue(batchSize), parsed.GetValue(learningRate), parsed.GetValue(seed),
            parsed.GetRequiredValue(device), parsed.GetValue(threads), parsed.GetValue(tf32),
            parsed.GetResult(resume) is null ? null : parsed.GetValue(resume) ?? "", parsed.GetValue(ifChanged), parsed.GetValue(force),
            parsed.GetValue(resize), !parsed.GetValue(noPublish), parsed.GetValue(tolerance), parsed.GetValue(saveEvery)), cancellation));
        return command;
    }

    static async Task<int> RunAsync(Request request, CancellationToken cancellation)
    {
        await Task.Yield(); // Ctrl-C and SIGTERM are heeded only from here on, and a training yields only when it saves
        var log = TrainingLog.Create();
        var (recipeName, recipe) = RecipeBook.Load(request.Recipe);
        var name = request.Model ?? recipeName;
        if (!ModelRegistry.IsModelName(name)) throw new RegistryException($"'{name}' is no name for a model: use lower-case letters, digits, '-', '.' and '_'.");
        var store = CommonOptions.OpenStore(request.Out);

        var checkpoint = request.Resume is Auto ? null : await ReadCheckpointAsync(store, name, request.Resume, cancellation);
        recipe = Override(checkpoint?.Checkpoint.Recipe ?? recipe, request);
        recipe.Check(recipeName);
        var source = request.Data ?? checkpoint?.Checkpoint.DataSource ?? recipe.Data
            ?? throw new RecipeException($"Recipe {recipeName} does not say where its images are. Give --data: {DataSources.Kinds}");
        var backend = Devices.Open(request.Device, request.Threads, request.Tf32);
        var model = recipe.Model.Build(backend, recipe.Seed);
        var learner = new Learner(recipe, model);
        var data = await log.ShowAsync(() => DataSources.LoadAsync(source,
            CommonOptions.ImagesFor(recipe, source) with { Log = log.Line, Progress = log.Loaded }, cancellation));
        var registry = new ModelRegistry(store);
        if (request.IfChanged && await Unattended.TrainedAlreadyAsync(registry, name, recipe, data, cancellation) is { } version)
        {
            log.Line($"unchanged: {name} {version} was trained on these images with this recipe; there is nothing to do");
            await Unattended.TellServingAsync(registry, name, log, cancellation);
            return 0;
        }
        if (request.Resume is Auto) checkpoint = await Unattended.UnpublishedRunAsync(registry, name, recipe, data, cancellation);

        var run = checkpoint?.Run ?? DateTime.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var state = checkpoint is null ? TrainingState.Start : Restore(checkpoint.Value.Checkpoint, recipe, data, learner);
        log.Line($"{name}: {model.Parameters.WeightCount:N0} weights, {model.LatentSize} latents; {data.Train.Count:N0} + {data.Test.Count:N0} images {data.Train.Shape} of {source}; on {backend.Device}");
        if (checkpoint is not null) log.Line($"going on with run {run} after epoch {state.Epoch}, batch {state.Batch}");

        var training = new TrainingRun(store, run, name, recipe, data, learner, log);
        if (checkpoint is null) await training.SaveAsync(state); // storage that cannot be written to shows before the work is done
        var trainer = new Trainer(recipe, data, learner, training)
        {
            SaveEvery = TimeSpan.FromSeconds(request.SaveEvery),
        };
        // From here on there is work to lose: what storage elsewhere does not take stays on this machine.
        training.Refuge = store is FolderBlobStore ? null : new FolderBlobStore(CommonOptions.DefaultFolder);
        try
        {
            state = await log.ShowAsync(() => trainer.RunAsync(state, cancellation));
            if (!recipe.IsDone(state.History))
            {
                log.Line($"Stopped in epoch {state.Epoch + 1} after batch {state.Batch}; {Kept()}");
                return CommandRunner.Interrupted;
            }
            learner.Finish();
            if (request.Publish) return await PublishAsync(store, training.Refuge, name, recipe, data, model, state, request, log, cancellation);
            if (training.SavedIn == store) return 0;
            await Console.Error.WriteLineAsync($"Error: The storage failed; {Kept()}");
        }
        catch (StorageException e)
        {
            await Console.Error.WriteLineAsync($"Error: {e.Message} What was saved before is whole; {Kept()}");
        }
        return CommandRunner.Failed;

        string Kept() => $"the checkpoint is {Checkpoint.PathOf(name, run)} in {training.SavedIn.Location}. "
            + $"Go on with --resume{(training.SavedIn == store ? "" : $" --out {training.SavedIn.Location}")}.";
    }

    static Recipe Override(Recipe recipe, Request request) => recipe with
    {
        Epochs = request.Epochs ?? recipe.Epochs,
        BatchSize = request.BatchSize ?? recipe.BatchSize,
        Seed = request.Seed ?? recipe.Seed,
        Resize = request.Resize || recipe.Resize,
        Optimizer = request.LearningRate is { } rate ? recipe.Optimizer with { LearningRate = rate } : recipe.Optimizer,
    };

    static async Task<(string Run, Checkpoint Checkpoint)?> ReadCheckpointAsync(IBlobStore store, string name, string? resume, CancellationToken cancellation)
    {
        if (resume is null) return null;
        var run = resume != "" ? resume : await Checkpoint.NewestRunAsync(store, name, cancellation)
            ?? throw new CheckpointException($"There is no run of {name} to resume in {store.Location}; train without --resume, or name another --out or --model.");
        return (run, await Checkpoint.ReadAsync(store, name, run, cancellation));
    }

    /// <summary>A run goes on only as what it was: the same recipe but for its length, and the same images.</summary>
    static TrainingState Restore(Checkpoint checkpoint, Recipe recipe, DataSplit data, Learner learner)
    {
        if (!checkpoint.Recipe.StepsLike(recipe))
            throw new CheckpointException($"The checkpoint was trained with another recipe; only epochs may differ, and not those either under a cosine schedule, which spans them. {string.Join("; ", recipe.DifferencesFrom(checkpoint.Recipe))} as there.");
        if (checkpoint.DataFingerprint != data.Fingerprint)
            throw new CheckpointException($"The checkpoint was trained on other images ({checkpoint.DataSource}, fingerprint {checkpoint.DataFingerprint}); these have {data.Fingerprint}. Train anew without --resume.");
        if (checkpoint.State.Epoch > recipe.Epochs || (checkpoint.State.Epoch == recipe.Epochs && checkpoint.State.Batch > 0))
            throw new CheckpointException($"The checkpoint is in epoch {checkpoint.State.Epoch + 1} already, beyond the {recipe.Epochs} asked for; give more --epochs.");
        checkpoint.Restore(learner);
        return checkpoint.State;
    }

    /// <summary>Publishes to the store or, where that fails, to the refuge, from where ./vae publish takes it later. Gives the exit code.</summary>
    static async Task<int> PublishAsync(IBlobStore store, IBlobStore? refuge, string name, Recipe recipe, DataSplit data, Vae model, TrainingState state,
        Request request, TrainingLog log, CancellationToken cancellation)
    {
        try
        {
            await PublishToAsync(store);
            return 0;
        }
        catch (StorageException e) when (refuge is not null)
        {
            await Console.Error.WriteLineAsync($"Error: {e.Message} The model is kept on this machine instead:");
            var version = await PublishToAsync(refuge);
            await Console.Error.WriteLineAsync($"When the storage answers again: ./vae publish {name} --version {version} --from {refuge.Location}");
            return CommandRunner.Failed;
        }

        async Task<string> PublishToAsync(IBlobStore place)
        {
            var registry = new ModelRegistry(place);
            var publisher = new Publisher(registry, new() { Tolerance = request.Tolerance }) { Effort = new() { Log = log.Line } };
            var manifest = await publisher.PublishAsync(name, recipe, data, model, state.History, request.Force, cancellation);
            log.Line($"published models/{name}/{manifest.Version} in {place.Location}");
            log.Line($"  report: {place.Location.TrimEnd('/')}/models/{name}/{manifest.Version}/report.html");
            if (model.Prior == Prior.None)
                log.Line("  it has no prior, so it cannot be sampled: nothing says which of its codes are likely. \"prior\": { \"kind\": \"gaussian\" } in the recipe's model fits one.");
            log.Line(manifest.Promotion!.Promoted ? $"  it serves now. {manifest.Promotion.Reason}" : $"  it does not serve. {manifest.Promotion.Reason} --force overrides.");
            if (place is FolderBlobStore && manifest.Promotion.Promoted) log.Line($"  ./vae serve takes it over when it starts; for one that is running: ./vae publish {name} --from {place.Location}");
            await Unattended.TellServingAsync(registry, name, log, cancellation);
            return manifest.Version;
        }
    }
}
