using System.Diagnostics;
using VaeFunctions.Data;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Training;

/// <summary>What a training tells while it runs.</summary>
public interface ITrainingEvents
{
    /// <summary>A step was taken.</summary>
    void Stepped(int epoch, int batch, int batches, double loss, double imagesPerSecond);

    /// <summary>An epoch ended and was evaluated.</summary>
    Task EpochEndedAsync(TrainingState state);

    /// <summary>A good moment to save in the middle of an epoch, or the last one before the loop leaves.</summary>
    Task SaveAsync(TrainingState state);
}

/// <summary>Tells nobody, and saves nothing.</summary>
public sealed class Silence : ITrainingEvents
{
    public void Stepped(int epoch, int batch, int batches, double loss, double imagesPerSecond)
    {
    }

    public Task EpochEndedAsync(TrainingState state) => Task.CompletedTask;

    public Task SaveAsync(TrainingState state) => Task.CompletedTask;
}

/// <summary>The training loop. The same recipe, data and state give the same weights to the last bit, however often it was interrupted.</summary>
public sealed class Trainer(Recipe recipe, DataSplit data, Learner learner, ITrainingEvents events)
{
    /// <summary>Training images to which a model's own fits are made after an epoch, at most.</summary>
    const int FittedImages = 8192;

    readonly Vae model = learner.Model;

    /// <summary>How much work a crash may cost.</summary>
    public TimeSpan SaveEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Goes on from a state until the recipe's last epoch, or until asked to stop: then it saves and returns where it is.</summary>
    /// <exception cref="TrainingException">The loss is no longer a number.</exception>
    public async Task<TrainingState> RunAsync(TrainingState state, CancellationToken cancellation)
    {
        using var train = new BatchSource(data.Train, model, keepOnDevice: recipe.Binarize != BinarizationKind.Dynamic);
        using var test = new BatchSource(data.Test, model, keepOnDevice: true);
        var batches = (train.Count + recipe.BatchSize - 1) / recipe.BatchSize;
        var lastSave = Stopwatch.StartNew();
        while (!recipe.IsDone(state.History))
        {
            var order = new RandomStream(recipe.Seed, "shuffle", (ulong)state.Epoch).Permutation(train.Count);
            var watch = Stopwatch.StartNew();
            double before = state.Seconds;
            long imagesBefore = state.Train.Images;
            Batch? used = null;
            var next = state.Batch < batches ? Gather(train, order, state, used) : null;
            while (state.Batch < batches)
            {
                var batch = next!.GetAwaiter().GetResult(); // on this thread, whose buffers are warm
                if (state.Batch + 1 < batches) next = Gather(train, order, state with { Batch = state.Batch + 1 }, used);
                var progress = state.Epoch + (double)state.Batch / batches;
                var step = Step(batch, progress);
                state = step is null
                    ? Skip(state)
                    : state with { Train = state.Train.Plus(step.Terms) };
                used = batch;
                state = state with { Batch = state.Batch + 1, Seconds = before + watch.Elapsed.TotalSeconds };
                events.Stepped(state.Epoch + 1, state.Batch, batches, step?.Loss ?? double.NaN, (state.Train.Images - imagesBefore) / watch.Elapsed.TotalSeconds);

                if (cancellation.IsCancellationRequested)
                {
                    await events.SaveAsync(state);
                    return state;
                }
                if (lastSave.Elapsed > SaveEvery && state.Batch < batches)
                {
                    await events.SaveAsync(state);
                    lastSave.Restart();
                }
            }

            Fit(train, order);
            var metrics = Evaluate(test, state, batches);
            state = TrainingState.Start with { Epoch = state.Epoch + 1, History = [.. state.History, metrics] };
            if (Recipe.IsBest(state.History)) learner.KeepBest();
            await events.EpochEndedAsync(state);
            lastSave.Restart();
            if (cancellation.IsCancellationRequested) return state;
        }
        return state;
    }

    /// <summary>Puts the batch of a state together, while the one before it is being learned from.</summary>
    Task<Batch> Gather(BatchSource images, int[] order, TrainingState state, Batch? used) => Task.Run(() =>
    {
        var (epoch, batch, start) = (state.Epoch, (ulong)state.Batch, state.Batch * recipe.BatchSize);
        var places = order.AsSpan(start, Math.Min(recipe.BatchSize, order.Length - start));
        return images.Gather(places, new(recipe.Seed, $"noise of epoch {epoch}", batch), recipe.Objective.Samples,
            recipe.Binarize == BinarizationKind.Dynamic ? new(recipe.Seed, $"binarization of epoch {epoch}", batch) : null, used);
    });

    /// <summary>What runs are compared by, of the batch, and the loss whose gradient was followed.</summary>
    sealed record StepTerms(LossSums Terms, double Loss);

    /// <summary>Forward, backward, guard, step; null where the guard held the step back.</summary>
    StepTerms? Step(Batch batch, double progress)
    {
        var backend = model.Parameters.Backend;
        using var scope = backend.BeginScope();
        var tape = backend.Record();
        var terms = batch.Loss(model, tape);
        var loss = recipe.Objective.Loss(terms, batch.Count, model.Image, recipe.Objective.Kl.At(progress));
        var value = loss.ToScalar();
        if (!float.IsFinite(value)) return null;

        var gradients = tape.Backward(loss);
        var norm = learner.Optimizer.Norm(gradients);
        if (!double.IsFinite(norm)) return null;
        var clip = recipe.ClipNorm is { } longest ? (float)Math.Min(1, longest / norm) : 1;
        learner.Optimizer.Step(gradients, recipe.Optimizer.Schedule.At(progress, recipe.Epochs), clip);
        tape.ApplyUpdates();
        learner.Average();
        return new(recipe.Objective.Measure(terms, batch.Count, model.Image), value);
    }

    /// <exception cref="TrainingException">There were too many already.</exception>
    TrainingState Skip(TrainingState state)
    {
        state = state with { Skipped = state.Skipped + 1 };
        var skipped = state.Skipped + state.History.Sum(metrics => metrics.SkippedSteps);
        return skipped <= recipe.MaxSkippedSteps
            ? state
            : throw Diverged($"{skipped} steps had a loss or gradient that is no finite number, the last in epoch {state.Epoch + 1}, batch {state.Batch + 1}; {recipe.MaxSkippedSteps} are tolerated.");
    }

    void Fit(BatchSource images, int[] order)
    {
        if (!model.Fits) return;
        var backend = model.Parameters.Backend;
        using var average = learner.UseAverage();
        using var scope = backend.BeginScope();
        var batch = images.Gather(order.AsSpan(0, Math.Min(FittedImages, order.Length)), new(recipe.Seed, "fit"), samples: 0);
        model.Fit(batch.PixelsOn(backend));
    }

    EpochMetrics Evaluate(BatchSource images, TrainingState state, int batches)
    {
        using var average = learner.UseAverage();
        var test = Evaluation.Run(images, recipe);
        if (!double.IsFinite(test.Loss))
            throw Diverged($"The test loss is {test.Loss} (reconstruction {test.Reconstruction}, KL {test.Kl}, summed) after epoch {state.Epoch + 1}.");
        var last = state.Epoch + (batches - 1.0) / batches;
        return new(state.Epoch + 1, state.Train, test, state.Train.Images / state.Seconds, state.Seconds)
        {
            KlWeight = recipe.Objective.Kl.At(last),
            LearningRate = recipe.Optimizer.LearningRate * recipe.Optimizer.Schedule.At(last, recipe.Epochs),
            SkippedSteps = state.Skipped,
        };
    }

    TrainingException Diverged(string what) =>
        new($"{what} The last checkpoint is from before. Start anew with a learning rate below {recipe.Optimizer.LearningRate}, and look for broken images.");
}

/// <summary>A training that failed; the message says where it stood, what is kept and what to try.</summary>
public sealed class TrainingException : ExplainedException
{
    public TrainingException(string message, Exception? inner = null)
        : base(message, inner) => ExitCode = 1;
}
