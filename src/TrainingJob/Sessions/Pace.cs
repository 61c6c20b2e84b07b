using System.Diagnostics;
using System.Globalization;
using VaeFunctions.Data;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Sessions;

/// <summary>How long a training's steps take on this machine, and how many epochs fit into a time.</summary>
static class Pace
{
    /// <summary>Steps that are left out, in which memory and threads come up, and how long is measured after them.</summary>
    const int Warming = 3;

    static readonly TimeSpan Measured = TimeSpan.FromSeconds(10);

    /// <summary>The part of the time that evaluation, checkpoints and publication take.</summary>
    const double Aside = 0.2;

    /// <summary>The recipe with as many epochs as the time is enough for, one at least. What is measured is another model's first
    /// steps, so that the training itself begins as it would without.</summary>
    public static async Task<Recipe> PlanAsync(
        Recipe recipe, DataSplit data, ITrainingBackend backend, TimeSpan budget, Action<string> log,
        CancellationToken cancellation)
    {
        var seconds = await SecondsOfStepAsync(recipe, TrainingState.Start, data, backend, cancellation);
        if (recipe.Adversary is { } adversary)
        {
            var two = recipe with { Epochs = 2 };
            var inLastPart = await SecondsOfStepAsync(two, TrainingState.Start with { Epoch = 1 }, data, backend, cancellation);
            log(string.Create(CultureInfo.InvariantCulture,
                $"a step takes {1000 * seconds:F1} ms, and {1000 * inLastPart:F1} ms from where the decoder has an adversary"));
            seconds = adversary.From * seconds + (1 - adversary.From) * inLastPart;
        }
        var steps = recipe.StepsOf(data.Train.Count);
        var epochs = EpochsWithin(budget, seconds, steps);
        log(string.Create(CultureInfo.InvariantCulture,
                $"a step takes {1000 * seconds:F1} ms, an epoch {seconds * steps:F0} s: "
                + $"{Plural.Of(epochs, "epoch is", "epochs are")} trained in {Plural.Of(budget.TotalMinutes, "minute")}")
            + (seconds * steps > budget.TotalSeconds * (1 - Aside) ? ", or somewhat more, since one is the least" : "")
            + ((long)epochs * steps < AutoRecipe.FewestSteps
                ? $"; {Plural.Of((long)epochs * steps, "step is", "steps are")} fewer than the {AutoRecipe.FewestSteps:N0} that "
                    + "pictures need, so give it more time if you can"
                : ""));
        return WithEpochs(recipe, epochs) with { PicturesEvery = Math.Max(recipe.PicturesEvery, epochs / 10) };
    }

    /// <summary>The recipe with so many epochs. In a shorter training the KL term's weight and the learning rate's warm-up get
    /// where they were to go, only sooner; a longer training keeps the length of both.</summary>
    internal static Recipe WithEpochs(Recipe recipe, int epochs)
    {
        var factor = Math.Min(1, (double)epochs / recipe.Epochs);
        var (schedule, kl) = (recipe.Optimizer.Schedule, recipe.Objective.Kl);
        return recipe with
        {
            Epochs = epochs,
            Optimizer = recipe.Optimizer with { Schedule = schedule with { WarmUp = schedule.WarmUp * factor } },
            Objective = recipe.Objective with { Kl = kl.Scaled(factor) },
        };
    }

    /// <summary>How many epochs of so many steps fit.</summary>
    internal static int EpochsWithin(TimeSpan budget, double secondsOfStep, int steps) =>
        (int)Math.Clamp(budget.TotalSeconds * (1 - Aside) / (secondsOfStep * steps), 1, 1_000_000);

    static async Task<double> SecondsOfStepAsync(
        Recipe recipe, TrainingState start, DataSplit data, ITrainingBackend backend, CancellationToken cancellation)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var watch = new Watch(enough);
        var learner = new Learner(recipe, recipe.Model.Build(backend, recipe.Seed));
        await new Trainer(recipe, data, learner, watch) { FitPrior = () => null }.RunAsync(start, enough.Token);
        cancellation.ThrowIfCancellationRequested();
        return watch.SecondsOfStep;
    }

    /// <summary>Times steps alone, not the evaluations between them, and ends the training when it has seen enough.</summary>
    sealed class Watch(CancellationTokenSource enough) : ITrainingEvents
    {
        readonly Stopwatch all = Stopwatch.StartNew(), one = Stopwatch.StartNew();
        readonly List<double> seconds = [];

        public double SecondsOfStep
        {
            get
            {
                double[] sorted = [.. seconds.Skip(Math.Min(Warming, seconds.Count - 1)).Order()];
                return sorted[sorted.Length / 2];
            }
        }

        public void Stepped(int epoch, int batch, int batches, double loss, double imagesPerSecond)
        {
            seconds.Add(one.Elapsed.TotalSeconds);
            one.Restart();
            if (all.Elapsed > Measured) enough.Cancel();
        }

        public Task EpochEndedAsync(TrainingState state)
        {
            one.Restart();
            if (all.Elapsed > Measured) enough.Cancel();
            return Task.CompletedTask;
        }

        public Task SaveAsync(TrainingState state) => Task.CompletedTask;
    }
}
