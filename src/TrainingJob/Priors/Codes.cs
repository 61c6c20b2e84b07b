using VaeFunctions.Data;
using VaeFunctions.Models;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Priors;

/// <summary>The posteriors of some images: means and variances, [count, latents] each, row by row.</summary>
public sealed record Codes(int Latents, float[] Means, float[] Variances)
{
    const int BatchSize = 256;

    public int Count => Means.Length / Latents;

    public ReadOnlySpan<float> Mean(int row) => Means.AsSpan(row * Latents, Latents);

    /// <summary>The codes of images from all over a set.</summary>
    /// <param name="most">How many, at most.</param>
    public static Codes Of(Vae model, ImageDataset data, int most, CancellationToken cancellation = default)
    {
        var count = Math.Min(most, data.Count);
        var (means, variances) = (new float[count * model.LatentSize], new float[count * model.LatentSize]);
        var backend = model.Parameters.Backend;
        using var images = new BatchSource(data, model);
        foreach (var batch in Enumerable.Range(0, count).Chunk(BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = backend.BeginScope();
            int[] places = [.. batch.Select(i => (int)((long)i * data.Count / count))];
            var pixels = images.Gather(places, new(0, "none"), samples: 0);
            var posterior = model.EncodePixels(pixels.PixelsOn(backend), pixels.LabelsOn(backend));
            posterior.Mean.ToArray().CopyTo(means, batch[0] * model.LatentSize);
            posterior.LogVariance.Exp().ToArray().CopyTo(variances, batch[0] * model.LatentSize);
        }
        return new(model.LatentSize, means, variances);
    }

    /// <summary>Every tenth, and the others.</summary>
    public (Codes Others, Codes HeldOut) Split()
    {
        int[] all = [.. Enumerable.Range(0, Count)];
        return (Select([.. all.Where(i => i % 10 != 9)]), Select([.. all.Where(i => i % 10 == 9)]));
    }

    /// <summary>A draw from each posterior, [count, latents].</summary>
    public float[] Draw(RandomStream random)
    {
        var drawn = new float[Means.Length];
        for (var i = 0; i < drawn.Length; i++) drawn[i] = Means[i] + MathF.Sqrt(Variances[i]) * random.NextGaussian();
        return drawn;
    }

    Codes Select(int[] rows) => new(Latents, Rows(Means, rows), Rows(Variances, rows));

    float[] Rows(float[] values, int[] rows) => [.. rows.SelectMany(row => values[(row * Latents)..((row + 1) * Latents)])];
}
