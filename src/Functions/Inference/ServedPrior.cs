using Microsoft.ML.OnnxRuntime;
using VaeFunctions.Models;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>How a version's latents are drawn, and how likely one is: by N(0, I), by what was fitted to training codes, or code
/// by code.</summary>
/// <remarks>N = latents, L = latent size, P = places of codes, K = codes.</remarks>
sealed class ServedPrior : IDisposable
{
    readonly Manifest manifest;
    readonly RuntimeGraph? prior, density;
    readonly int places, largestBatch;
    readonly Turns turns;

    /// <exception cref="OnnxRuntimeException">A graph cannot be loaded.</exception>
    /// <exception cref="ModelUnavailableException">A graph does not fit the manifest.</exception>
    public ServedPrior(Manifest manifest, ModelFiles files, ServingOptions options)
    {
        (this.manifest, largestBatch) = (manifest, options.LargestBatch);
        turns = new(options.RunsAtOnce, options.MaxQueuedImages);
        var threads = options.RuntimeThreads;
        Port latent = new("latent", typeof(float), [-1, manifest.LatentSize]);
        try
        {
            if (files.Prior is { } graph)
            {
                if (manifest.Prior == Prior.Fitted)
                    prior = new("prior.onnx", graph, threads,
                        [latent with { Name = "noise" }, new("choice", typeof(float), [-1])], [latent]);
                else
                    (prior, places) = LoadCodes(graph, latent, threads);
            }
            if (files.Density is { } likelihood)
                density = new("density.onnx", likelihood, threads, [latent], [new("log_density", typeof(float), [-1])]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Latent vectors, drawn when their turn has come. Each has a stream of its own, so that a larger count begins with
    /// the latents of a smaller one.</summary>
    /// <param name="temperature">The noise's standard deviation, or what divides the logits of codes.</param>
    /// <param name="first">The number of the first one.</param>
    /// <exception cref="OverloadedException">Too many wait already.</exception>
    public Task<float[][]> DrawAsync(int count, ulong seed, float temperature, long first, CancellationToken cancellation) =>
        turns.RunAsync(count, () => Draw(count, seed, temperature, first, cancellation), cancellation);

    /// <summary>log p of each latent vector, in nats, when their turn has come; null where nothing says which are
    /// likely.</summary>
    /// <exception cref="OverloadedException">Too many wait already.</exception>
    public Task<double[]?> LogDensitiesAsync(IReadOnlyCollection<float[]> latents, CancellationToken cancellation) =>
        turns.RunAsync(latents.Count, () => LogDensities(latents, cancellation), cancellation);

    /// <summary>The same at once.</summary>
    public float[][] Draw(int count, ulong seed, float temperature, long first, CancellationToken cancellation)
    {
        if (places > 0)
            return DrawCodes(count, seed, temperature, first, cancellation);
        RandomStream[] random =
            [.. Enumerable.Range(0, count).Select(i => new RandomStream(seed, "sample", (ulong)(first + i)))];
        float[][] noise = [.. random.Select(stream =>
            Array.ConvertAll(stream.Gaussians(manifest.LatentSize), value => temperature * value))];
        if (prior is null)
            return noise;
        float[] choices = [.. random.Select(stream => (float)stream.NextDouble())];
        return [.. Enumerable.Range(0, count).Chunk(largestBatch).SelectMany(part =>
        {
            cancellation.ThrowIfCancellationRequested();
            using var results = prior.Run(
                part.Length, Rows.Join(part.Select(i => noise[i])), part.Select(i => choices[i]).ToArray());
            return results[0].GetTensorDataAsSpan<float>()[..(part.Length * manifest.LatentSize)].ToArray()
                .Chunk(manifest.LatentSize);
        })];
    }

    /// <summary>The same at once.</summary>
    public double[]? LogDensities(IReadOnlyCollection<float[]> latents, CancellationToken cancellation) =>
        (density, manifest.Prior) switch
        {
            (not null, _) => [.. latents.Chunk(largestBatch).SelectMany(part =>
            {
                cancellation.ThrowIfCancellationRequested();
                using var results = density.Run(part.Length, Rows.Join(part));
                return results[0].GetTensorDataAsSpan<float>()[..part.Length].ToArray().Select(value => (double)value);
            })],
            (null, Prior.StandardNormal) => [.. latents.Select(latent =>
                -0.5 * latent.Sum(value => (double)value * value + Math.Log(2 * Math.PI)))],
            _ => null,
        };

    public void Dispose()
    {
        prior?.Dispose();
        density?.Dispose();
        turns.Dispose();
    }

    /// <summary>The number of places is what the graph says.</summary>
    static (RuntimeGraph Prior, int Places) LoadCodes(byte[] graph, Port latent, int threads)
    {
        using var probe = new InferenceSession(graph);
        if (!probe.InputMetadata.TryGetValue("codes", out var codes) || codes.Dimensions is not [-1, > 0 and var places]
            || !probe.OutputMetadata.TryGetValue("logits", out var logits))
            throw new ModelUnavailableException("prior.onnx has not the input codes [-1, P] and the output logits [-1, P, K].");
        return (new("prior.onnx", graph, threads, [new("codes", typeof(long), [-1, places])],
            [new("logits", typeof(float), logits.Dimensions), latent]), places);
    }

    float[][] DrawCodes(int count, ulong seed, float temperature, long first, CancellationToken cancellation)
    {
        var codes = Autoregression.Sample(count, places, codes => Ask(codes, output: 0), seed, temperature, first);
        return [.. Ask(codes, output: 1).Chunk(manifest.LatentSize)];

        // Asked once for each place, so that nobody's codes are soon drawn no further.
        float[] Ask(float[] codes, int output) => [.. codes.Chunk(largestBatch * places).SelectMany(part =>
        {
            cancellation.ThrowIfCancellationRequested();
            using var results = prior!.Run(part.Length / places, Array.ConvertAll(part, code => (long)code));
            var padded = results[output].GetTensorDataAsSpan<float>();
            return padded[..(int)(padded.Length / results[output]
                .GetTensorTypeAndShape().Shape[0] * (part.Length / places))].ToArray();
        })];
    }
}
