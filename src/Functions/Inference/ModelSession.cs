using System.Numerics;
using Microsoft.ML.OnnxRuntime;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>One version of a model, ready to run: its two graphs in ONNX Runtime, shared by all requests.</summary>
/// <remarks>
/// Batches are cut to <see cref="LargestBatch"/> and padded to a power of two, because the runtime keeps memory for every batch
/// size that it has seen. Leases keep a replaced version alive until its last request has ended.
/// N = images, L = latent size.
/// </remarks>
public sealed class ModelSession : IDisposable
{
    public const int LargestBatch = 64;

    static readonly RunOptions Options = new();

    readonly InferenceSession encoder;
    readonly InferenceSession decoder;
    int leases = 1; // the first is the owner's

    /// <summary>Loads both graphs and runs each once.</summary>
    /// <param name="threads">Threads of one inference; 0 takes one for each core.</param>
    /// <exception cref="ModelUnavailableException">A graph cannot be loaded, does not fit the manifest, or fails its first run.</exception>
    public ModelSession(string model, string version, ImageShape shape, int latentSize, byte[] encoderGraph, byte[] decoderGraph, int threads)
    {
        (Model, Version, Shape, LatentSize) = (model, version, shape, latentSize);
        try
        {
            if (shape.Channels is not (1 or 3))
                throw new ModelUnavailableException($"its images have {shape.Channels} channels; 1 (grey) and 3 (RGB) are served.");
            encoder = Load(encoderGraph, threads);
            decoder = Load(decoderGraph, threads);
            CheckGraphs();
            WarmUp();
        }
        catch (Exception fault) when (fault is OnnxRuntimeException or ModelUnavailableException)
        {
            encoder?.Dispose();
            decoder?.Dispose();
            throw new ModelUnavailableException($"Model {model}, version {version} cannot be used: {fault.Message}", fault);
        }
    }

    public string Model { get; }

    public string Version { get; }

    public ImageShape Shape { get; }

    public int LatentSize { get; }

    /// <summary>The posterior of each image.</summary>
    /// <param name="pixels">uint8 [N, H, W, C]</param>
    /// <returns>The means and the log variances, [N, L] each.</returns>
    public (float[] Mean, float[] LogVariance) Encode(ReadOnlySpan<byte> pixels)
    {
        var count = pixels.Length / Shape.Size;
        var (mean, logVariance) = (new float[count * LatentSize], new float[count * LatentSize]);
        for (var start = 0; start < count; start += LargestBatch)
        {
            var length = Math.Min(LargestBatch, count - start);
            using var results = Run(encoder, "pixels", pixels.Slice(start * Shape.Size, length * Shape.Size),
                [Bucket(length), Shape.Height, Shape.Width, Shape.Channels], ["mean", "log_variance"]);
            Copy(results[0], mean.AsSpan(start * LatentSize, length * LatentSize));
            Copy(results[1], logVariance.AsSpan(start * LatentSize, length * LatentSize));
        }
        return (mean, logVariance);
    }

    /// <summary>The image of each latent vector.</summary>
    /// <param name="latents">float [N, L]</param>
    /// <returns>uint8 [N, H, W, C]</returns>
    public byte[] Decode(ReadOnlySpan<float> latents)
    {
        var count = latents.Length / LatentSize;
        var pixels = new byte[count * Shape.Size];
        for (var start = 0; start < count; start += LargestBatch)
        {
            var length = Math.Min(LargestBatch, count - start);
            using var results = Run(decoder, "latent", latents.Slice(start * LatentSize, length * LatentSize),
                [Bucket(length), LatentSize], ["pixels"]);
            Copy(results[0], pixels.AsSpan(start * Shape.Size, length * Shape.Size));
        }
        return pixels;
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
    }

    static int Bucket(int count) => (int)BitOperations.RoundUpToPowerOf2((uint)count);

    static InferenceSession Load(byte[] graph, int threads)
    {
        using var options = new SessionOptions { IntraOpNumThreads = threads, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        // Threads that wait by spinning would take the cores from other requests.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        return new InferenceSession(graph, options);
    }

    static IDisposableReadOnlyCollection<OrtValue> Run<T>(InferenceSession session, string input, ReadOnlySpan<T> values, long[] shape, string[] outputs)
        where T : unmanaged
    {
        var padded = new T[shape.Aggregate(1L, (product, extent) => product * extent)];
        values.CopyTo(padded);
        using var tensor = OrtValue.CreateTensorValueFromMemory(padded, shape);
        return session.Run(Options, [input], [tensor], outputs);
    }

    static void Copy<T>(OrtValue from, Span<T> to) where T : unmanaged => from.GetTensorDataAsSpan<T>()[..to.Length].CopyTo(to);

    void CheckGraphs()
    {
        int[] pixels = [-1, Shape.Height, Shape.Width, Shape.Channels], latent = [-1, LatentSize];
        Check("encoder.onnx", "input", encoder.InputMetadata, ("pixels", typeof(byte), pixels));
        Check("encoder.onnx", "output", encoder.OutputMetadata, ("mean", typeof(float), latent), ("log_variance", typeof(float), latent));
        Check("decoder.onnx", "input", decoder.InputMetadata, ("latent", typeof(float), latent));
        Check("decoder.onnx", "output", decoder.OutputMetadata, ("pixels", typeof(byte), pixels));
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
        var (mean, logVariance) = Encode(new byte[Shape.Size]);
        if (!mean.Concat(logVariance).All(float.IsFinite))
            throw new ModelUnavailableException("encoder.onnx gives numbers that are not finite for a black image.");
        Decode(mean);
    }
}
