using System.Diagnostics;
using VaeFunctions.Autograd;
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

/// <summary>The training loop. The same recipe, data and state give the same weights to the last bit, however often it was interrupted.</summary>
public sealed class Trainer(Recipe recipe, DataSplit data, Vae model, Optimizer optimizer, ITrainingEvents events)
{
    /// <summary>How much work a crash may cost.</summary>
    public TimeSpan SaveEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Goes on from a state until the recipe's last epoch, or until asked to stop: then it saves and returns where it is.</summary>
    /// <exception cref="TrainingException">The loss is no longer a number.</exception>
    public async Task<TrainingState> RunAsync(TrainingState state, CancellationToken cancellation)
    {
        var batches = (data.Train.Count + recipe.BatchSize - 1) / recipe.BatchSize;
        var lastSave = Stopwatch.StartNew();
        while (state.Epoch < recipe.Epochs)
        {
            var order = new RandomStream(recipe.Seed, "shuffle", (ulong)state.Epoch).Permutation(data.Train.Count);
            var watch = Stopwatch.StartNew();
            double before = state.Seconds;
            long imagesBefore = state.Train.Images;
            while (state.Batch < batches)
            {
                var batch = Gather(order, state.Epoch, state.Batch);
                var (reconstruction, kl) = Step(batch, state);
                state = state with { Batch = state.Batch + 1, Train = state.Train.Plus(reconstruction, kl, batch.Count), Seconds = before + watch.Elapsed.TotalSeconds };
                events.Stepped(state.Epoch + 1, state.Batch, batches, (reconstruction + kl) / batch.Count,
                    (state.Train.Images - imagesBefore) / watch.Elapsed.TotalSeconds);

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

            var test = Evaluation.Run(model, data.Test, recipe.Seed, CancellationToken.None);
            if (!double.IsFinite(test.Loss))
                throw Diverged($"The test loss is {test.Loss} (reconstruction {test.Reconstruction}, KL {test.Kl}, summed) after epoch {state.Epoch + 1}.");
            var metrics = new EpochMetrics(state.Epoch + 1, state.Train, test, state.Train.Images / state.Seconds, state.Seconds);
            state = TrainingState.Start with { Epoch = state.Epoch + 1, History = [.. state.History, metrics] };
            await events.EpochEndedAsync(state);
            lastSave.Restart();
            if (cancellation.IsCancellationRequested) return state;
        }
        return state;
    }

    Batch Gather(int[] order, int epoch, int batch)
    {
        var start = batch * recipe.BatchSize;
        var indices = order.AsSpan(start, Math.Min(recipe.BatchSize, order.Length - start));
        return Batch.Gather(data.Train, indices, model, new(recipe.Seed, $"noise of epoch {epoch}", (ulong)batch));
    }

    /// <summary>Forward, guard, backward, step. Gives the batch's two loss terms.</summary>
    (double Reconstruction, double Kl) Step(Batch batch, TrainingState state)
    {
        var backend = model.Parameters.Backend;
        using var scope = backend.BeginScope();
        var tape = new GradientTape(backend);
        var elbo = batch.Loss(model, tape);
        double reconstruction = elbo.Reconstruction.ToScalar(), kl = elbo.Kl.ToScalar();
        if (!double.IsFinite(reconstruction + kl))
            throw Diverged($"The loss is {reconstruction + kl} (reconstruction {reconstruction}, KL {kl}) in epoch {state.Epoch + 1}, batch {state.Batch + 1}.");

        var loss = (elbo.Reconstruction + elbo.Kl * recipe.Beta) / batch.Count;
        optimizer.Step(tape.Backward(loss));
        return (reconstruction, kl);
    }

    TrainingException Diverged(string what) =>
        new($"{what} The last checkpoint is from before. Start anew with a learning rate below {recipe.Optimizer.LearningRate}, and look for broken images.");
}

/// <summary>A training that cannot go on; the message says where it stood and what to try.</summary>
public sealed class TrainingException(string message) : Exception(message);
