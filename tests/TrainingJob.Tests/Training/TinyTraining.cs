using VaeFunctions.Cpu;
using VaeFunctions.Data;
using VaeFunctions.Models;
using VaeFunctions.Priors;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Training;

/// <summary>A training of a second or less: discs of random place and size, a convolutional VAE with batch
/// normalisation.</summary>
static class TinyTraining
{
    public static Recipe Recipe { get; } = new()
    {
        Model = new ConvVaeOptions
        {
            Image = new(8, 8, 1),
            Channels = [6, 8],
            Hidden = 16,
            Latent = 3,
            Likelihood = new SquaredErrorOptions { Low = -1, High = 1 },
        },
        BatchSize = 16,
        Epochs = 3,
        Optimizer = new AdamRecipe { LearningRate = 0.003f },
    };

    public static DataSplit Data { get; } = DataSplit.Of(Discs(100, 1), Discs(30, 2), "discs");

    public static ImageDataset Discs(int count, ulong seed)
    {
        var random = new RandomStream(seed, "discs");
        return new(new(8, 8, 1), [.. Enumerable.Range(0, count).Select(_ =>
        {
            double x0 = 2 + 4 * random.NextDouble(), y0 = 2 + 4 * random.NextDouble(), r = 1 + 2 * random.NextDouble();
            return Enumerable.Range(0, 64).Select(i =>
                (i % 8 - x0) * (i % 8 - x0) + (i / 8 - y0) * (i / 8 - y0) < r * r ? (byte)230 : (byte)20).ToArray();
        })]);
    }

    public static Learner Build(Recipe recipe, ITrainingBackend? backend = null) =>
        new(recipe, recipe.Model.Build(backend ?? new CpuBackend(), recipe.Seed));

    public static TrainingRun Run(IBlobStore store, Recipe recipe, Learner learner, DataSplit? data = null) =>
        new(store, "run", "discs", recipe, data ?? Data, learner, TrainingLog.Silent);

    /// <summary>A trainer that fits priors as a session does.</summary>
    public static Trainer TrainerOf(Recipe recipe, Learner learner, ITrainingEvents events, DataSplit? data = null) =>
        new(recipe, data ?? Data, learner, events)
        {
            FitPrior = () => PriorFit.Of(learner.Model, (data ?? Data).Train, recipe.Seed).Density,
        };

    /// <summary>Trains to the end and leaves in the model what would be published.</summary>
    public static async Task<(Learner Learner, TrainingState State)> TrainAsync(
        IBlobStore store, Recipe recipe, DataSplit? data = null)
    {
        var learner = Build(recipe);
        var state = await TrainerOf(recipe, learner, Run(store, recipe, learner, data), data)
            .RunAsync(TrainingState.Start, default);
        learner.Finish();
        return (learner, state);
    }

    public static float[] Weights(Vae model) => [.. model.Parameters.SelectMany(parameter => parameter.Value.ToArray())];
}

/// <summary>Passes events on and asks to stop after a number of steps.</summary>
sealed class StopAfter(ITrainingEvents inner, int steps, CancellationTokenSource source) : ITrainingEvents
{
    int taken;

    public void Stepped(int epoch, int batch, int batches, double loss, double imagesPerSecond)
    {
        if (++taken == steps) source.Cancel();
        inner.Stepped(epoch, batch, batches, loss, imagesPerSecond);
    }

    public Task EpochEndedAsync(TrainingState state) => inner.EpochEndedAsync(state);

    public Task SaveAsync(TrainingState state) => inner.SaveAsync(state);
}
