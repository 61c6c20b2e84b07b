using VaeFunctions.Data;
using VaeFunctions.Models;
using VaeFunctions.Priors;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Sessions;

/// <summary>A training from the request to the published version: images, model, loop, publication.</summary>
public sealed class TrainingSession
{
    readonly TrainingRequest request;
    readonly ModelRegistry registry;
    readonly string name;

    TrainingSession(TrainingRequest request) => (this.request, registry, name) = (request, new(request.Store), request.Model);

    IBlobStore Store => request.Store;

    TrainingLog Log => request.Log;

    /// <summary>Does what is asked for. Asked to stop while it trains or publishes, it leaves a checkpoint and gives
    /// <see cref="TrainingEnd.Interrupted"/>.</summary>
    /// <remarks>It computes on the thread that calls it.</remarks>
    /// <exception cref="ExplainedException">The request cannot be met, or something failed on the way; the message says what is
    /// kept, and where.</exception>
    /// <exception cref="OperationCanceledException">Asked to stop before the training, when there is nothing to
    /// save.</exception>
    public static Task<TrainingOutcome> RunAsync(TrainingRequest request, CancellationToken cancellation = default) =>
        new TrainingSession(request).RunAsync(cancellation);

    async Task<TrainingOutcome> RunAsync(CancellationToken cancellation)
    {
        if (!ModelRegistry.IsModelName(name))
            throw new RegistryException(
                $"'{name}' is not a model's name, which has {ModelRegistry.ModelNameRule}; choose another.");
        var resumed = request.Resume == Resume.Always ? await ReadCheckpointAsync(cancellation) : null;
        var recipe = Override(resumed?.Checkpoint.Recipe ?? request.Recipe);
        recipe.Check(request.RecipeName);
        var source = request.Data ?? resumed?.Checkpoint.DataSource ?? recipe.Data
            ?? throw new RecipeException($"Recipe {request.RecipeName} does not say where its images are. Give --data: "
                + $"{DataSources.Kinds}");
        var model = recipe.Model.Build(Devices.Open(request.Device, request.Threads, request.Tf32), recipe.Seed);
        var learner = new Learner(recipe, model);
        var images = Stores.ImagesFor(recipe, source, request.DataStore) with
        {
            MaxUnreadable = request.MaxUnreadable,
            Log = Log.Line,
            Progress = Log.Loaded,
        };
        var data = await Log.ShowAsync(() => DataSources.LoadAsync(source, images, cancellation));
        if (request.IfChanged && await Unattended.TrainedAlreadyAsync(registry, name, recipe, data, Log.Line, cancellation)
            is { } trained)
            return await UnchangedAsync(trained, new(data.Test, recipe.Seed, model.Parameters.Backend), cancellation);
        if (request.Resume == Resume.WherePossible)
            resumed = await Unattended.UnpublishedRunAsync(registry, name, recipe, data, Log.Line, cancellation);

        if (request.Budget is { } budget && resumed is null)
        {
            recipe = await Pace.PlanAsync(recipe, data, model.Parameters.Backend, budget, Log.Line, cancellation);
            learner = new Learner(recipe, model);
        }
        var state = TrainingState.Start;
        try
        {
            if (resumed is not null) state = Restore(resumed.Value.Checkpoint, recipe, data, learner);
        }
        catch (CheckpointException e) when (request.Resume == Resume.WherePossible)
        {
            Log.Line($"Run {resumed!.Value.Run} cannot go on, so another begins. {e.Message}");
            resumed = null;
        }
        Log.Line($"{name}: {model.Parameters.WeightCount:N0} weights, {Plural.Of(model.LatentSize, "latent")}; "
            + $"{data.Train.Count:N0} + {data.Test.Count:N0} images {data.Train.Shape} of {source}; on "
            + $"{model.Parameters.Backend.Device}");
        if (resumed is not null)
            Log.Line($"going on with run {resumed.Value.Run} after epoch {state.Epoch}, batch {state.Batch}");

        var training = resumed is null
            ? await BeginAsync(learner, recipe, data, cancellation)
            : new TrainingRun(Store, resumed.Value.Run, name, recipe, data, learner, Log) { TensorBoard = request.TensorBoard };
        // From here on there is work to lose: what storage elsewhere does not take stays on this machine.
        training.Refuge = Store is FolderBlobStore ? null : new FolderBlobStore(Stores.DefaultFolder);
        try
        {
            return await TrainAsync(training, learner, recipe, data, state, cancellation);
        }
        catch (StorageException e)
        {
            throw new StorageException($"{e.Message} What was saved before is whole; {Kept(training)}", e) { ExitCode = 1 };
        }
    }

    /// <summary>Begins a run of its own, whose first checkpoint shows whether the storage can be written to before the work is
    /// done.</summary>
    async Task<TrainingRun> BeginAsync(Learner learner, Recipe recipe, DataSplit data, CancellationToken cancellation)
    {
        while (true)
        {
            string[] others = [.. await Checkpoint.ListRunsAsync(Store, name, cancellation),
                .. await registry.ListVersionsAsync(name, cancellation)];
            var run = TimeName.After(DateTimeOffset.UtcNow, others);
            var training = new TrainingRun(Store, run, name, recipe, data, learner, Log) { TensorBoard = request.TensorBoard };
            try
            {
                await training.BeginAsync();
                if (request.KeepRecipe) await KeepAsync(recipe, run, cancellation);
                return training;
            }
            catch (BlobConflictException)
            {
                // Another began in the same second.
            }
        }
    }

    /// <summary>Writes the recipe beside the run, named as the model, so that training the file trains the model again.</summary>
    async Task KeepAsync(Recipe recipe, string run, CancellationToken cancellation)
    {
        var path = Checkpoint.PathOf(name, run, $"{name}.json");
        await Store.WriteAsync(path, BinaryData.FromString(recipe.ToJson() + "\n"), cancellation: cancellation);
        Log.Line(Store is FolderBlobStore
            ? $"the recipe: {Store.Location}/{path}; edit it as you like, and ./vae train {Store.Location}/{path} trains it"
            : $"the recipe: {path} in {Store.Location}; fetch and edit it, and ./vae train {name}.json trains it");
    }

    /// <summary>There is nothing to train. A version whose promotion was cut off is judged now: it is whole, but neither serves
    /// nor was rolled back.</summary>
    async Task<TrainingOutcome> UnchangedAsync(Manifest trained, Measuring measuring, CancellationToken cancellation)
    {
        var outcome = new TrainingOutcome(TrainingEnd.Unchanged, name) { Version = trained.Version };
        var (serving, damage) = await registry.TryReadCurrentAsync(name, cancellation);
        if (damage is not null) Log.Line(damage);
        if (damage is not null || trained.Promotion is not { Promoted: true } || serving?.Knows(trained.Version) == true)
            return outcome with { Serving = serving };
        Log.Line($"{name} {trained.Version} is whole, but was cut off before it could serve; the gate decides now");
        var promotion = await Publisher.PromoteAsync(trained, measuring, request.Force, cancellation);
        if (!promotion.Promoted) Log.Line($"it does not serve. {promotion.Reason}");
        return outcome with
        {
            End = promotion.Promoted ? TrainingEnd.Published : TrainingEnd.Unchanged,
            Manifest = promotion.Promoted ? trained with { Promotion = promotion } : null,
            Serving = await ServingAsync(cancellation),
        };
    }

    /// <summary>The version that serves; null where none does or the pointer is damaged, which is said.</summary>
    async Task<CurrentPointer?> ServingAsync(CancellationToken cancellation)
    {
        var (pointer, damage) = await registry.TryReadCurrentAsync(name, cancellation);
        if (damage is not null) Log.Line(damage);
        return pointer;
    }

    async Task<TrainingOutcome> TrainAsync(
        TrainingRun training, Learner learner, Recipe recipe, DataSplit data, TrainingState state,
        CancellationToken cancellation)
    {
        if (recipe.Adversary is not null && recipe.AdversarialFrom is null)
            Log.Line("one epoch is too few for the adversary, which never begins");
        var trainer = new Trainer(recipe, data, learner, training)
        {
            SaveEvery = request.SaveEvery,
            FitPrior = () =>
            {
                Log.Line($"from epoch {recipe.AdversarialFrom + 1} on the encoder rests and the decoder has an adversary, whom "
                    + "the loss counts too");
                // The model keeps it, so that pictures of samples are drawn from it too.
                return learner.Model.Density =
                    PriorFit.Of(learner.Model, data.Train, recipe.Seed, Log.Line, cancellation).Density;
            },
        };
        state = await Log.ShowAsync(() => trainer.RunAsync(state, cancellation));
        var outcome = new TrainingOutcome(TrainingEnd.Interrupted, name)
        {
            Run = training.Name,
            Epochs = state.Epoch,
            Seconds = state.History.Sum(epoch => epoch.Seconds),
            TestLoss = state.History.Count > 0 ? recipe.Published(state.History).Test.Loss : null,
            DataFingerprint = data.Fingerprint,
        };
        if (!recipe.IsDone(state.History))
        {
            Log.Line($"Stopped in epoch {state.Epoch + 1} after batch {state.Batch}; {Kept(training)}");
            return outcome;
        }
        learner.Finish();
        if (request.Publish)
        {
            Manifest manifest;
            try
            {
                manifest = await PublishAsync(recipe, data, learner.Model, state, training.Refuge, cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                Log.Line($"Stopped after the last epoch, before the version was published and served; {Kept(training)}");
                return outcome;
            }
            var serving = await ServingAsync(cancellation);
            return outcome with
            {
                End = TrainingEnd.Published,
                Version = manifest.Version,
                Manifest = manifest,
                Serving = serving,
            };
        }
        return training.SavedIn == Store
            ? outcome with { End = TrainingEnd.Trained }
            : throw new StorageException("The storage failed during the training.");
    }

    /// <summary>Publishes to the store or, where that fails, to the refuge, from where ./vae publish takes it later.</summary>
    /// <exception cref="TrainingException">The store failed; the message says where the version is instead.</exception>
    async Task<Manifest> PublishAsync(
        Recipe recipe, DataSplit data, Vae model, TrainingState state, IBlobStore? refuge, CancellationToken cancellation)
    {
        try
        {
            return await PublishToAsync(Publisher);
        }
        catch (StorageException e) when (refuge is not null)
        {
            var kept = await PublishToAsync(PublisherTo(new(refuge)));
            throw new TrainingException($"{e.Message} The model is kept on this machine instead. "
                + $"When the storage answers again: ./vae publish {name} --version {kept.Version} --from {refuge.Location}", e);
        }

        Task<Manifest> PublishToAsync(Publisher publisher) =>
            publisher.PublishAsync(name, recipe, data, model, state.History, request.Force, cancellation);
    }

    Publisher Publisher => PublisherTo(registry);

    Publisher PublisherTo(ModelRegistry place) =>
        new(place, new() { Tolerance = request.Tolerance }) { Effort = new() { Log = Log.Line } };

    Recipe Override(Recipe recipe) => recipe with
    {
        Epochs = request.Epochs ?? recipe.Epochs,
        BatchSize = request.BatchSize ?? recipe.BatchSize,
        Seed = request.Seed ?? recipe.Seed,
        Fit = request.Fit ?? recipe.Fit,
        Optimizer = request.LearningRate is { } rate ? recipe.Optimizer with { LearningRate = rate } : recipe.Optimizer,
    };

    async Task<(string Run, Checkpoint Checkpoint)?> ReadCheckpointAsync(CancellationToken cancellation)
    {
        var run = request.Run ?? await Checkpoint.NewestRunAsync(Store, name, cancellation) ?? throw new CheckpointException(
            $"There is no run of {name} to resume in {Store.Location}; train without --resume, or name another --out "
            + "or --model.");
        return (run, await Checkpoint.ReadAsync(Store, name, run, cancellation));
    }

    /// <summary>A run goes on only as what it was: the same recipe but for its length, and the same images.</summary>
    static TrainingState Restore(Checkpoint checkpoint, Recipe recipe, DataSplit data, Learner learner)
    {
        if (!checkpoint.Recipe.StepsLike(recipe))
            throw new CheckpointException("The checkpoint was trained with another recipe; only epochs may differ, and not those "
                + "either under a cosine schedule or with an adversary, which go by them. "
                + $"{string.Join("; ", recipe.DifferencesFrom(checkpoint.Recipe))} as there.");
        if (checkpoint.DataFingerprint != data.Fingerprint)
            throw new CheckpointException($"The checkpoint was trained on other images ({checkpoint.DataSource}, fingerprint "
                + $"{checkpoint.DataFingerprint}); these have {data.Fingerprint}. Train anew without --resume.");
        if (checkpoint.State.Epoch > recipe.Epochs || (checkpoint.State.Epoch == recipe.Epochs && checkpoint.State.Batch > 0))
            throw new CheckpointException(
                $"The checkpoint is in epoch {checkpoint.State.Epoch + 1} already, beyond the {recipe.Epochs} asked for; give "
                + "more --epochs.");
        checkpoint.Restore(learner);
        return checkpoint.State;
    }

    string Kept(TrainingRun training) =>
        $"the checkpoint is {Checkpoint.PathOf(name, training.Name)} in {training.SavedIn.Location}. "
        + (request.ResumeCommand is { } command
            ? $"To go on: {command(training.Name, training.SavedIn == Store ? null : training.SavedIn.Location)}"
            : $"Go on with --resume{(training.SavedIn == Store ? "" : $" --out {training.SavedIn.Location}")}.");
}
