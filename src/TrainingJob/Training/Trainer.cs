using System.Diagnostics;
using VaeFunctions.Data;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Training;

/// <summary>What a training tells while it runs.</summary>
public interface ITrainingEvents
{
    /// <summary>A step was taken, or skipped: then the loss is no number. Epochs and batches count from 1.</summary>
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

/// <summary>The training loop. The same recipe, data and state give the same weights to the last bit, however often it was
/// interrupted.</summary>
public sealed class Trainer(Recipe recipe, DataSplit data, Learner learner, ITrainingEvents events)
{
    /// <summary>Training images to which a model's own fits are made after an epoch, at most.</summary>
    const int FittedImages = 8192;

    readonly Vae model = learner.Model;
    readonly ITrainingBackend backend = learner.Model.Parameters.Backend;

    /// <summary>Fits what latents are drawn from while the decoder has an adversary, to the codes of an encoder that rests; N(0,
    /// I) where it gives null. A recipe with an adversary needs it.</summary>
    public Func<LatentDensity?>? FitPrior { get; init; }

    /// <summary>How much work a crash may cost.</summary>
    public TimeSpan SaveEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Goes on from a state until the recipe's last epoch, or until asked to stop: then it saves and returns where it
    /// is.</summary>
    /// <exception cref="TrainingException">The loss is no longer a number.</exception>
    public async Task<TrainingState> RunAsync(TrainingState state, CancellationToken cancellation)
    {
        using var train = new BatchSource(data.Train, model, keepOnDevice: !recipe.ChangesPixels);
        using var test = new BatchSource(data.Test, model, keepOnDevice: true);
        var batches = recipe.StepsOf(train.Count);
        var sinceSave = Stopwatch.StartNew();
        LatentDensity? prior = null;
        var rests = false;
        while (!recipe.IsDone(state.History))
        {
            if (!rests && state.Epoch >= recipe.AdversarialFrom)
            {
                if (!TryFitPrior(out prior, cancellation))
                {
                    await events.SaveAsync(state);
                    return state;
                }
                rests = true;
            }
            var (secondsBefore, imagesBefore, clock) = (state.Seconds, state.Train.Images, Stopwatch.StartNew());
            foreach (var batch in train.Epoch(recipe, state.Epoch, firstBatch: state.Batch))
            {
                var progress = state.Epoch + (double)state.Batch / batches;
                var klWeight = recipe.Objective.Kl.At(progress);
                var rate = RateAt(progress);

                var (loss, measure) = Step(batch, state, prior, klWeight, rate);
                state = measure is null ? Skipped(state) : state with { Train = state.Train.Plus(measure) };

                state = state with { Batch = state.Batch + 1, Seconds = secondsBefore + clock.Elapsed.TotalSeconds };
                events.Stepped(state.Epoch
                    + 1, state.Batch, batches, loss, (state.Train.Images - imagesBefore) / clock.Elapsed.TotalSeconds);

                var stopping = cancellation.IsCancellationRequested;
                if (stopping || (sinceSave.Elapsed > SaveEvery && state.Batch < batches))
                {
                    await events.SaveAsync(state);
                    sinceSave.Restart();
                }
                if (stopping)
                    return state;
            }

            Fit(train, state.Epoch);
            if (TryEvaluate(test, state, batches, cancellation) is not { } metrics)
            {
                await events.SaveAsync(state);
                return state;
            }
            state = TrainingState.Start with { Epoch = state.Epoch + 1, History = [.. state.History, metrics] };
            if (Recipe.IsBest(state.History))
                learner.KeepBest();
            await events.EpochEndedAsync(state);
            sinceSave.Restart();
            if (cancellation.IsCancellationRequested)
                return state;
        }
        return state;
    }

    /// <summary>Whether the prior could be fitted, now that the encoder rests; false where that was interrupted.</summary>
    bool TryFitPrior(out LatentDensity? prior, CancellationToken cancellation)
    {
        prior = null;
        try
        {
            prior = (FitPrior ?? throw new InvalidOperationException("A recipe with an adversary needs FitPrior."))();
            return true;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>The factor of the learning rate: its schedule ends where an adversary's own rate begins.</summary>
    float RateAt(double progress) => progress >= recipe.AdversarialFrom
        ? recipe.Adversary!.LearningRate / recipe.Optimizer.LearningRate
        : recipe.Optimizer.Schedule.At(progress, recipe.AdversarialFrom ?? recipe.Epochs);

    /// <summary>Latents from the prior, which follow from the seed, the epoch and the batch: [count, L].</summary>
    Tensor Draw(LatentDensity? prior, int count, TrainingState state)
    {
        var random = new RandomStream(recipe.Seed, $"drawn in epoch {state.Epoch}", (ulong)state.Batch);
        var noise = backend.FromValues(random.Gaussians(count * model.LatentSize), new(count, model.LatentSize));
        float[] choice = [.. Enumerable.Range(0, count).Select(_ => (float)random.NextDouble())];
        return prior?.Draw(noise, backend.FromValues(choice, new(count))) ?? noise;
    }

    /// <summary>Forward, backward, guard, step. A step whose loss or gradient is no finite number is not taken; then there is no
    /// measure.</summary>
    /// <param name="prior">What latents are drawn from for the adversary, once it has begun.</param>
    (double Loss, Measure? Measure) Step(Batch batch, TrainingState state, LatentDensity? prior, float klWeight, float rate)
    {
        using var scope = backend.BeginScope();
        var tape = backend.Record();
        var adversary = state.Epoch >= recipe.AdversarialFrom ? learner.Adversary : null;
        var terms = adversary?.Terms(batch, model, tape, Draw(prior, batch.Count, state))
            ?? batch.Terms(model, tape, learner.Distance);
        var loss = recipe.Objective.Loss(terms, batch.Count, model.Image, klWeight);
        var value = loss.ToScalar();
        if (!float.IsFinite(value))
            return (double.NaN, null);

        var gradients = tape.Backward(loss);
        var norm = learner.Optimizer.Norm(gradients);
        if (!double.IsFinite(norm) || adversary?.IsFinite(gradients) == false)
            return (double.NaN, null);

        var clip = recipe.ClipNorm is { } longest ? (float)Math.Min(1, longest / norm) : 1;
        learner.Optimizer.Step(gradients, rate, clip);
        adversary?.Step(gradients);
        tape.ApplyUpdates();
        learner.Average();
        return (value, recipe.Objective.MeasureOf(terms, batch.Count, model.Image));
    }

    /// <exception cref="TrainingException">There were too many already.</exception>
    TrainingState Skipped(TrainingState state)
    {
        state = state with { Skipped = state.Skipped + 1 };
        var skipped = state.Skipped + state.History.Sum(metrics => metrics.SkippedSteps);
        return skipped <= recipe.MaxSkippedSteps
            ? state
            : throw Diverged($"{Plural.Of(skipped, "step")} had a loss or gradient that is no finite number, the last in epoch "
                + $"{state.Epoch + 1}, "
                + $"batch {state.Batch + 1}; {recipe.MaxSkippedSteps} are tolerated.");
    }

    void Fit(BatchSource images, int epoch)
    {
        if (!model.Fits)
            return;
        using var average = learner.UseAverage();
        using var scope = backend.BeginScope();
        var some = images.Order(recipe, epoch).AsSpan(0, Math.Min(FittedImages, images.Count));
        model.Fit(images.Gather(some, new(recipe.Seed, "fit"), samples: 0).PixelsOn(backend));
    }

    /// <summary>What an epoch came to; null where it was interrupted, and is measured by who goes on.</summary>
    EpochMetrics? TryEvaluate(BatchSource images, TrainingState state, int batches, CancellationToken cancellation)
    {
        try
        {
            return Evaluate(images, state, batches, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    EpochMetrics Evaluate(BatchSource images, TrainingState state, int batches, CancellationToken cancellation)
    {
        using var average = learner.UseAverage();
        var test = Measure.Of(images, recipe, cancellation);
        if (!double.IsFinite(test.Loss))
            throw Diverged($"The test loss is {test.Loss} (reconstruction {test.Reconstruction}, KL {test.Kl}, summed) after "
                + $"epoch {state.Epoch + 1}.");
        var last = state.Epoch + (batches - 1.0) / batches;
        return new(state.Epoch + 1, state.Train, test, state.Train.Images / state.Seconds, state.Seconds)
        {
            KlWeight = recipe.Objective.Kl.At(last),
            LearningRate = recipe.Optimizer.LearningRate * RateAt(last),
            SkippedSteps = state.Skipped,
        };
    }

    TrainingException Diverged(string what) => new(
        $"{what} The last checkpoint is from before. Start anew with a learning rate below {recipe.Optimizer.LearningRate}"
        + (recipe.Adversary is { } adversary ? $" (adversary.learningRate below {adversary.LearningRate})" : "")
        + ", and look for broken images.");
}

/// <summary>A training that failed; the message says where it stood, what is kept and what to try.</summary>
public sealed class TrainingException : ExplainedException
{
    public TrainingException(string message, Exception? inner = null)
        : base(message, inner) => ExitCode = 1;
}
