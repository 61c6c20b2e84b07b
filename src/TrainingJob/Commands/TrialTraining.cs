using VaeFunctions.Data;
using VaeFunctions.Registry;
using VaeFunctions.Sweeps;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Commands;

/// <summary>Trains and publishes a sweep's trials, each by the command <c>train</c>.</summary>
/// <param name="options">What that command is told besides: where to write and to compute.</param>
sealed class TrialTraining(Sweep sweep, IBlobStore store, string[] options) : IDisposable
{
    readonly DirectoryInfo recipes = Directory.CreateTempSubdirectory("vae-sweep-");

    /// <summary>Then images that cannot be used are no trial's fault, and the sweep cannot go on.</summary>
    readonly bool sameImages = sweep.Trials.Select(trial => (trial.Recipe.Model.Image, trial.Recipe.Resize, trial.Recipe.Binarize)).Distinct().Count() == 1;

    public void Dispose() => recipes.Delete(recursive: true);

    /// <summary>Trains a trial, from its checkpoint where it has one; null where it was asked to stop.</summary>
    /// <exception cref="StorageException">The storage failed; the checkpoint is kept as <c>train</c> keeps it.</exception>
    public async Task<TrialResult?> TrainAsync(Trial trial, CancellationToken stop)
    {
        var name = sweep.NameOf(trial);
        try
        {
            var code = await RunAsync(trial, name, stop, "--resume", "auto", "--no-publish");
            if (code == CommandRunner.Interrupted) return null;
            if (code != 0) throw new StorageException($"Trial {trial.Number} could not be kept; start the sweep again when the storage answers.");
            var run = await Checkpoint.NewestRunAsync(store, name, stop);
            var checkpoint = await Checkpoint.ReadAsync(store, name, run!, stop);
            var (history, epoch) = (checkpoint.State.History, checkpoint.Recipe.Published(checkpoint.State.History));
            return new(trial.Number, trial.Overrides, epoch.Test.Loss, null, run, checkpoint.DataFingerprint, history.Count, history.Sum(past => past.Seconds));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception e) when (IsOfTheTrial(e))
        {
            return new(trial.Number, trial.Overrides, Failure: CommandRunner.OfLibtorch(e) ?? e.Message);
        }
    }

    /// <summary>Publishes a trial as a run of the model that ended, through the gate. Gives the exit code.</summary>
    public async Task<int> PublishAsync(TrialResult best, bool force, CancellationToken cancellation)
    {
        var trial = sweep.Trials[best.Trial - 1];
        var checkpoint = await store.TryReadAsync(Checkpoint.PathOf(sweep.NameOf(trial), best.Run!), Array.MaxLength, cancellation)
            ?? throw new CheckpointException($"The checkpoint of trial {best.Trial} is gone; delete checkpoints/{sweep.Name}/{best.Trial:000}.json to train it again.");
        var copy = Checkpoint.PathOf(sweep.Model, best.Run!);
        await store.WriteAsync(copy, checkpoint.Content, default, cancellation);
        var code = await RunAsync(trial, sweep.Model, cancellation, "--resume", best.Run!, "--force", force ? "true" : "false");
        if (code == 0) await store.DeleteAsync(copy, CancellationToken.None); // it would hide older runs of the model from --resume
        return code;
    }

    bool IsOfTheTrial(Exception e) => e is TrainingException or ShapeException or CheckpointException or ArgumentException or OutOfMemoryException
        || (e is DataException && !sameImages) || CommandRunner.OfLibtorch(e) is not null;

    async Task<int> RunAsync(Trial trial, string model, CancellationToken stop, params string[] more)
    {
        var file = Path.Combine(recipes.FullName, $"{trial.Number:000}.json");
        await File.WriteAllTextAsync(file, trial.Recipe.ToJson(), stop);
        return await TrainCommand.Create().Parse([file, "--model", model, "--data", sweep.Data, .. options, .. more])
            .InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stop);
    }
}
