using System.Numerics;
using Microsoft.ML.OnnxRuntime;
using VaeFunctions.Imaging;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Tensors;

namespace VaeFunctions.Serving;

/// <summary>The bytes of a version's graphs.</summary>
public sealed record ModelGraphs(byte[] Encoder, byte[] Decoder, byte[]? Prior);

/// <summary>One version of a model, ready to run: its graphs in ONNX Runtime, shared by all requests.</summary>
/// <remarks>
/// Batches are cut to <see cref="LargestBatch"/> and padded to a power of two, because the runtime keeps memory for every batch
/// size that it has seen. Leases keep a replaced version alive until its last request has ended.
/// N = images, L = latent size.
/// </remarks>
public sealed class ModelSession : IDisposable
{
    public const int LargestBatch = 64;

    static readonly RunOptions Options = new();

    readonly Manifest manifest;
    readonly InferenceSession encoder, decoder;
    readonly InferenceSession? prior;
    int leases = 1; // the first is the owner's

    /// <summary>Loads the graphs and runs each once.</summary>
    /// <param name="threads">Threads of one inference; 0 takes one for each core.</param>
    /// <exception cref="ModelUnavailableException">A graph cannot be loaded, does not fit the manifest, or fails its first run.</exception>
    public ModelSession(Manifest manifest, ModelGraphs graphs, int threads)
    {
        this.manifest = manifest;
        try
        {
            if (Shape.Channels is not (1 or 3))
                throw new ModelUnavailableException($"its images have {Shape.Channels} channels; 1 (grey) and 3 (RGB) are served.");
            encoder = Load(graphs.Encoder, threads);
            decoder = Load(graphs.Decoder, threads);
            if (graphs.Prior is not null) prior = Load(graphs.Prior, threads);
            CheckGraphs();
            WarmUp();
        }
        catch (Exception fault) when (fault is OnnxRuntimeException or ModelUnavailableException)
        {
            encoder?.Dispose();
            decoder?.Dispose();
            prior?.Dispose();
            throw new ModelUnavailableException($"Model {Model}, version {Version} cannot be used: {fault.Message}", fault);
        }
    }

    public string Model => manifest.Model;

    public string Version => manifest.Version;

    public ImageShape Shape => manifest.Image;

    public int LatentSize => manifest.LatentSize;

    /// <summary>The labels that the model takes, by their number; null where it takes none.</summary>
    public IReadOnlyList<string>? Labels => manifest.Conditional ? manifest.Labels : null;

    public Prior Prior => manifest.Prior;

    /// <summary>The posterior of each image.</summary>
    /// <param name="pixels">uint8 [N, H, W, C]</param>
    /// <param name="labels">[N], or null where the model takes none.</param>
    /// <returns>The means and the log variances, [N, L] each.</returns>
    public (float[] Mean, float[] LogVariance) Encode(ReadOnlySpan<byte> pixels, long[]? labels)
    {
        var count = pixels.Length / Shape.Size;
        var (mean, logVariance) = (new float[count * LatentSize], new float[count * LatentSize]);
        for (var start = 0; start < count; start += LargestBatch)
        {
            var length = Math.Min(LargestBatch, count - start);
            using var results = Run(encoder, "pixels", pixels.Slice(start * Shape.Size, length * Shape.Size),
                [Bucket(length), Shape.Height, Shape.Width, Shape.Channels], Part(labels, start, length), ["mean", "log_variance"]);
            Copy(results[0], mean.AsSpan(start * LatentSize, length * LatentSize));
            Copy(results[1], logVariance.AsSpan(start * LatentSize, length * LatentSize));
        }
        return (mean, logVariance);
    }

    /// <summary>The image of each latent vector.</summary>
    /// <param name="latents">float [N, L]</param>
    /// <param name="labels">[N], or null where the model takes none.</param>
    /// <returns>uint8 [N, H, W, C]</returns>
    public byte[] Decode(ReadOnlySpan<float> latents, long[]? labels)
    {
        var count = latents.Length / LatentSize;
        var pixels = new byte[count * Shape.Size];
        for (var start = 0; start < count; start += LargestBatch)
        {
            var length = Math.Min(LargestBatch, count - start);
            using var results = Run(decoder, "latent", latents.Slice(start * LatentSize, length * LatentSize),
                [Bucket(length), LatentSize], Part(labels, start, length), ["pixels"]);
            Copy(results[0], pixels.AsSpan(start * Shape.Size, length * Shape.Size));
        }
        return pixels;
    }

    /// <summary>Latents drawn from the prior, [count, L]. Each image has a stream of its own, so that more images begin with the same ones.</summary>
    /// <param name="temperature">The standard deviation of a normal prior; of an autoregressive one, what its logits are divided by.</param>
    /// <exception cref="RequestException">409: the model has no prior.</exception>
    public float[] Draw(int count, ulong seed, float temperature) => Prior switch
    {
        Prior.StandardNormal => [.. Enumerable.Range(0, count).SelectMany(i => new RandomStream(seed, "sample", (ulong)i).Gaussians(LatentSize)).Select(value => temperature * value)],
        Prior.Autoregressive => DrawCodes(count, seed, temperature),
        _ => throw new RequestException(StatusCodes.Status409Conflict,
            $"Model {Model} is a plain autoencoder: nothing says which of its codes are likely, so it has nothing to sample from. Reconstruct with it, or train it with \"prior\": {{ \"kind\": \"gaussian\" }} in its recipe's model."),
    };

    float[] DrawCodes(int count, ulong seed, float temperature)
    {
        var places = prior!.InputMetadata["codes"].Dimensions[1];
        var logits = places * prior.OutputMetadata["logits"].Dimensions[2];
        return Ask("latent", Autoregression.Sample(count, places, codes => Ask("logits", codes, logits), seed, temperature), LatentSize);

        float[] Ask(string output, float[] codes, int size)
        {
            var values = new float[count * size];
            for (var start = 0; start < count; start += LargestBatch)
            {
                var length = Math.Min(LargestBatch, count - start);
                var whole = Array.ConvertAll(codes[(start * places)..((start + length) * places)], code => (long)code);
                using var results = Run<long>(prior, "codes", whole, [Bucket(length), places], [], [output]);
                Copy(results[0], values.AsSpan(start * size, length * size));
            }
            return values;
        }
    }

    /// <summary>One more user, unless the last has left already; pairs with <see cref="Dispose"/>.</summary>
    public bool TryLease()
    {
        for (var seen = Volatile.Read(ref leases); seen > 0; seen = Volatile.Read(ref leases))
        {
            if (Interlocked.CompareExchange(ref leases, seen + 1, seen) == seen)
                return true;
        }
        return false;
    }

    /// <summary>One user less; the last one frees the graphs.</summary>
    public void Dispose()
    {
        if (Interlocked.Decrement(ref leases) != 0)
            return;
        encoder.Dispose();
        decoder.Dispose();
        prior?.Dispose();
    }

    static ReadOnlySpan<long> Part(long[]? labels, int start, int length) => labels is null ? [] : labels.AsSpan(start, length);

    static int Bucket(int count) => (int)BitOperations.RoundUpToPowerOf2((uint)count);

    static InferenceSession Load(byte[] graph, int threads)
    {
        using var options = new SessionOptions { IntraOpNumThreads = threads, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        // Threads that wait by spinning would take the cores from other requests.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        return new InferenceSession(graph, options);
    }

    static IDisposableReadOnlyCollection<OrtValue> Run<T>(InferenceSession session, string input, ReadOnlySpan<T> values, long[] shape, ReadOnlySpan<long> labels, string[] outputs)
        where T : unmanaged
    {
        var padded = new T[shape.Aggregate(1L, (product, extent) => product * extent)];
        values.CopyTo(padded);
        using var tensor = OrtValue.CreateTensorValueFromMemory(padded, shape);
        if (labels.IsEmpty) return session.Run(Options, [input], [tensor], outputs);
        var paddedLabels = new long[shape[0]];
        labels.CopyTo(paddedLabels);
        using var label = OrtValue.CreateTensorValueFromMemory(paddedLabels, [shape[0]]);
        return session.Run(Options, [input, "label"], [tensor, label], outputs);
    }

    static void Copy<T>(OrtValue from, Span<T> to) where T : unmanaged => from.GetTensorDataAsSpan<T>()[..to.Length].CopyTo(to);

    void CheckGraphs()
    {
        int[] pixels = [-1, Shape.Height, Shape.Width, Shape.Channels], latent = [-1, LatentSize];
        (string, Type, int[])[] label = manifest.Conditional ? [("label", typeof(long), [-1])] : [];
        Check("encoder.onnx", "input", encoder.InputMetadata, [("pixels", typeof(byte), pixels), .. label]);
        Check("encoder.onnx", "output", encoder.OutputMetadata, ("mean", typeof(float), latent), ("log_variance", typeof(float), latent));
        Check("decoder.onnx", "input", decoder.InputMetadata, [("latent", typeof(float), latent), .. label]);
        Check("decoder.onnx", "output", decoder.OutputMetadata, ("pixels", typeof(byte), pixels));
        if (prior is null) return;
        var places = prior.InputMetadata.GetValueOrDefault("codes")?.Dimensions.ElementAtOrDefault(1) ?? 0;
        var codes = prior.OutputMetadata.GetValueOrDefault("logits")?.Dimensions.ElementAtOrDefault(2) ?? 0;
        Check("prior.onnx", "input", prior.InputMetadata, ("codes", typeof(long), [-1, places]));
        Check("prior.onnx", "output", prior.OutputMetadata, ("logits", typeof(float), [-1, places, codes]), ("latent", typeof(float), latent));
    }

    static void Check(string file, string side, IReadOnlyDictionary<string, NodeMetadata> found, params (string Name, Type Type, int[] Shape)[] expected)
    {
        var fits = expected.All(port => found.TryGetValue(port.Name, out var node) && node.ElementType == port.Type && node.Dimensions.SequenceEqual(port.Shape));
        // Further outputs do no harm; a further input could not be filled.
        if (!fits || (side == "input" && found.Count != expected.Length))
        {
            throw new ModelUnavailableException(
                $"{file} has the {side}s {string.Join(", ", found.Select(node => $"{node.Key} {node.Value.ElementType?.Name} [{string.Join(", ", node.Value.Dimensions)}]"))}; " +
                $"its manifest asks for {string.Join(", ", expected.Select(port => $"{port.Name} {port.Type.Name} [{string.Join(", ", port.Shape)}]"))}.");
        }
    }

    void WarmUp()
    {
        long[]? label = manifest.Conditional ? [0] : null;
        var (mean, logVariance) = Encode(new byte[Shape.Size], label);
        if (!mean.Concat(logVariance).All(float.IsFinite))
            throw new ModelUnavailableException("encoder.onnx gives numbers that are not finite for a black image.");
        Decode(mean, label);
    }
}
