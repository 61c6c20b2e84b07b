using VaeFunctions.Data;
using VaeFunctions.Measurement;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Training;

/// <summary>The negative ELBO of images a model was not trained on, one latent drawn per image, the same draws every time.</summary>
public static class Evaluation
{
    const int BatchSize = 256;

    /// <exception cref="OperationCanceledException">Asked to stop.</exception>
    public static LossSums Run(Vae model, ImageDataset data, Recipe recipe, CancellationToken cancellation = default)
    {
        var sums = recipe.Objective.Weigh(new(), model.Image);
        var usage = new Dictionary<float, long>();
        var backend = model.Parameters.Backend;
        int[] order = [.. Enumerable.Range(0, data.Count)];
        for (var start = 0; start < data.Count; start += BatchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = backend.BeginScope();
            var batch = Batch.Gather(data, order.AsSpan(start, Math.Min(BatchSize, data.Count - start)), model, new(recipe.Seed, "evaluation noise", (ulong)start));
            var loss = batch.Loss(model, backend);
            sums = sums.Plus(loss.Reconstruction.Sum().ToScalar(), loss.Kl.Sum().ToScalar(), batch.Count);
            foreach (var code in loss.Codes?.ToArray() ?? []) usage[code] = usage.GetValueOrDefault(code) + 1;
        }
        return usage.Count > 0 ? sums with { Perplexity = Statistics.Perplexity(usage.Values), CodesUsed = usage.Count } : sums;
    }
}
