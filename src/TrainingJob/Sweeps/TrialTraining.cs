using VaeFunctions.Data;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Sweeps;

/// <summary>Trains and publishes a sweep's trials.</summary>
/// <param name="every">What all of them have in common: where to write and to compute, and who is told.</param>
public sealed class TrialTraining(Sweep sweep, TrainingRequest every)
{
    /// <summary>Then images that cannot be used are no trial's fault, and the sweep cannot go on.</summary>
    readonly bool sameImages =
        sweep.Trials.Select(trial => (trial.Recipe.Model.Image, trial.Recipe.Fit, trial.Recipe.Binarize)).Distinct()
            .Count() == 1;

    /// <summary>Trains a trial, from its checkpoint where it has one; null where it was asked to stop.</summary>
    /// <exception cref="StorageException">The storage failed; the message says where the checkpoint is.</exception>
    public async Task<TrialResult?> TrainAsync(Trial trial, CancellationToken stop)
    {
        var request = Request(trial) with { Model = sweep.NameOf(trial), Resume = Resume.WherePossible, Publish = false };
        try
        {
            var outcome = await TrainingSession.RunAsync(request, stop);
            return outcome.End == TrainingEnd.Interrupted ? null : new(trial.Number, trial.Overrides)
            {
                TestLoss = outcome.TestLoss,
                Run = outcome.Run,
                DataFingerprint = outcome.DataFingerprint,
                Epochs = outcome.Epochs,
                Seconds = outcome.Seconds,
            };
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception e) when (IsOfTheTrial(e))
        {
            return new(trial.Number, trial.Overrides, Failure: NativeError.OfLibtorch(e) ?? e.Message);
        }
    }

    /// <summary>Publishes a trial as a run of the model that ended, through the gate.</summary>
    public async Task<TrainingOutcome> PublishAsync(TrialResult best, bool force, CancellationToken cancellation)
    {
        var trial = sweep.Trials[best.Trial - 1];
        var checkpoint = await every.Store.TryReadAsync(Checkpoint.PathOf(sweep.NameOf(trial), best.Run!), Array.MaxLength,
            cancellation)
            ?? throw new CheckpointException(
                $"The checkpoint of trial {best.Trial} is gone; delete checkpoints/{sweep.Name}/{best.Trial:000}.json to train "
                + "it again.");
        var copy = Checkpoint.PathOf(sweep.Model, best.Run!);
        await every.Store.WriteAsync(copy, checkpoint.Content, default, cancellation);
        var request = Request(trial) with { Model = sweep.Model, Resume = Resume.Always, Run = best.Run, Force = force };
        var outcome = await TrainingSession.RunAsync(request, cancellation);
        if (outcome.End == TrainingEnd.Interrupted) throw new OperationCanceledException(cancellation);
        await every.Store.DeleteAsync(copy, CancellationToken.None); // it would hide older runs of the model from --resume
        return outcome;
    }

    TrainingRequest Request(Trial trial) =>
        every with { Recipe = trial.Recipe, RecipeName = $"{every.RecipeName} with {trial.Overrides}" };

    bool IsOfTheTrial(Exception e) =>
        e is TrainingException or ShapeException or CheckpointException or ModelOptionsException or OutOfMemoryException
        || (e is DataException && !sameImages) || NativeError.OfLibtorch(e) is not null;
}
