using VaeFunctions.Data;
using VaeFunctions.Measurement;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Training;

/// <summary>The loss of images a model was not trained on, with as many latents drawn per image as in training, the same draws every time.</summary>
public static class Evaluation
{
    /// <summary>Latents that are decoded at once.</summary>
    const int Draws = 256;

    /// <summary>The sums over a data set of what the recipe's objective measures.</summary>
    /// <exception cref="OperationCanceledException">Asked to stop.</exception>
    public static LossSums Run(Vae model, ImageDataset data, Recipe recipe, CancellationToken cancellation = default)
    {
        using var images = new BatchSource(data, model);
        return Run(images, recipe, cancellation);
    }

    /// <summary>The sums over a data set of what the recipe's objective measures.</summary>
    /// <exception cref="OperationCanceledException">Asked to stop.</exception>
    public static LossSums Run(BatchSource images, Recipe recipe, CancellationToken cancellation = default)
    {
        var model = images.Model;
        var sums = new LossSums();
        var usage = new Dictionary<float, long>();
        var backend = model.Parameters.Backend;
        int[] order = [.. Enumerable.Range(0, images.Count)];
        var batchSize = Math.Max(1, Draws / recipe.Objective.Samples);
        for (var start = 0; start < images.Count; start += batchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = backend.BeginScope();
            var batch = images.Gather(order.AsSpan(start, Math.Min(batchSize, images.Count - start)), new(recipe.Seed, "evaluation noise", (ulong)start), recipe.Objective.Samples);
            var loss = batch.Loss(model, backend);
            sums = sums.Plus(recipe.Objective.Measure(loss, batch.Count, model.Image));
            foreach (var code in loss.Codes?.ToArray() ?? []) usage[code] = usage.GetValueOrDefault(code) + 1;
        }
        return usage.Count > 0 ? sums with { Perplexity = Statistics.Perplexity(usage.Values), CodesUsed = usage.Count } : sums;
    }
}
