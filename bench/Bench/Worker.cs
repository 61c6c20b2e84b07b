using System.CommandLine;
using System.Globalization;
using VaeFunctions.Cpu;
using VaeFunctions.Training;

namespace VaeFunctions.Bench;

/// <summary>One side of a comparison in a process of its own: for every line it reads it trains one epoch and prints images per
/// second, and how many bytes of managed memory a step took. bench/pytorch.py answers with the first alone.</summary>
static class Worker
{
    public static Command Create()
    {
        Argument<string> recipe = new("recipe");
        Argument<int> threads = new("threads"), images = new("images");
        var command = new Command("worker", "Trains an epoch for each line of standard input") { recipe, threads, images };
        command.Hidden = true;
        command.SetAction((parsed, cancellation) => RunAsync(
            parsed.GetRequiredValue(recipe), parsed.GetRequiredValue(threads), parsed.GetRequiredValue(images), cancellation));
        return command;
    }

    static async Task RunAsync(string recipeName, int threads, int images, CancellationToken cancellation)
    {
        await Task.Yield();
        var (_, loaded) = RecipeBook.Load(recipeName);
        var recipe = loaded with { Averaging = null, Adversary = null }; // the other side has neither
        var data = BenchCase.RandomImages(recipe, images);
        var model = recipe.Model.Build(new CpuBackend(threads), recipe.Seed);
        var learner = new Learner(recipe, model);
        var state = TrainingState.Start;
        while (Console.ReadLine() is not null)
        {
            var trainer = new Trainer(
                recipe with { Epochs = state.Epoch + 1 }, data, learner, new Silence())
            { SaveEvery = TimeSpan.MaxValue };
            var before = GC.GetTotalAllocatedBytes();
            state = await trainer.RunAsync(state, cancellation);
            var allocated = (GC.GetTotalAllocatedBytes() - before) * recipe.BatchSize / images;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{state.History[^1].ImagesPerSecond} {allocated}"));
        }
    }
}
