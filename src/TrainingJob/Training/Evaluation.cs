using VaeFunctions.Data;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Training;

/// <summary>The negative ELBO of images a model was not trained on, one latent drawn per image, the same draws every time.</summary>
public static class Evaluation
{
    const int BatchSize = 256;

    /// <exception cref="OperationCanceledException">Asked to stop.</exception>
    public static LossSums Run(Vae model, ImageDataset data, ulong seed, CancellationToken cancellation = default)
    {
        var sums = new LossSums();
        var backend = model.Parameters.Backend;
        int[] order = [.. Enumerable.Range(0, data.Count)];
        for (var start = 0; start < data.Count; start += BatchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = backend.BeginScope();
            var batch = Batch.Gather(data, order.AsSpan(start, Math.Min(BatchSize, data.Count - start)), model, new(seed, "evaluation noise", (ulong)start));
            var loss = batch.Loss(model, backend);
            sums = sums.Plus(loss.Reconstruction.ToScalar(), loss.Kl.ToScalar(), batch.Count);
        }
        return sums;
    }
}
