using Microsoft.ML.OnnxRuntime;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;
using VaeFunctions.Models;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>q(z | x) of some images: [L] each.</summary>
public sealed record Posterior(float[][] Mean, float[][] LogVariance);

/// <summary>The files of a version that serving reads; what a version need not have is null.</summary>
public sealed record ModelFiles(byte[] Encoder, byte[] Decoder, byte[]? Prior, IReadOnlyList<Concept> Concepts)
{
    /// <summary>How likely latents are, where N(0, I) does not say it.</summary>
    public byte[]? Density { get; init; }

    /// <summary>Where training images' codes lie; null in versions from before that was published.</summary>
    public PrincipalAxes? Axes { get; init; }
}

/// <summary>One version of a model, ready to run: its graphs in ONNX Runtime, whose runs concurrent requests share.</summary>
/// <remarks>Leases keep a replaced version alive until its last request has ended. N = images, L = latent size.</remarks>
public sealed class ModelSession : IDisposable
{
    readonly Manifest manifest;
    readonly RuntimeGraph encoder, decoder;
    readonly ServedPrior prior;
    readonly Batcher<byte, float> encoding;
    readonly Batcher<float, byte> decoding;
    int leases = 1; // the first is the owner's

    /// <summary>Loads the graphs and runs each once.</summary>
    /// <exception cref="ModelUnavailableException">A graph cannot be loaded, does not fit the manifest, or fails its first
    /// run.</exception>
    public ModelSession(Manifest manifest, ModelFiles files, ServingOptions options, ServingMetrics metrics)
    {
        this.manifest = manifest;
        Concepts = files.Concepts;
        Axes = files.Axes ?? PrincipalAxes.OfStandardNormal(LatentSize);
        try
        {
            if (Shape.Channels is not (1 or 3))
                throw new ModelUnavailableException(
                    $"its images have {Shape.Channels} channels; 1 (grey) and 3 (RGB) are served.");
            if (Conditional && Labels is [])
                throw new ModelUnavailableException("its manifest says that it is conditional but names no labels.");
            Port pixels = new("pixels", typeof(byte), [-1, Shape.Height, Shape.Width, Shape.Channels]),
                latent = new("latent", typeof(float), [-1, LatentSize]);
            Port[] label = Conditional ? [new("label", typeof(long), [-1])] : [];
            encoder = new("encoder.onnx", files.Encoder, options.RuntimeThreads, [pixels, .. label],
                [latent with { Name = "mean" }, latent with { Name = "log_variance" }]);
            decoder = new("decoder.onnx", files.Decoder, options.RuntimeThreads, [latent, .. label], [pixels]);
            prior = new(manifest, files, options);
            WarmUp();
        }
        catch (Exception fault)
        {
            encoder?.Dispose();
            decoder?.Dispose();
            prior?.Dispose();
            if (fault is not (OnnxRuntimeException or ModelUnavailableException))
                throw;
            throw new ModelUnavailableException($"Model {Model}, version {Version} cannot be used: {fault.Message}", fault);
        }
        encoding = new(Shape.Size, options, metrics.For(Model, "encoder"), RunEncoder);
        decoding = new(LatentSize, options, metrics.For(Model, "decoder"), RunDecoder);
    }

    public Manifest Manifest => manifest;

    public string Model => manifest.Model;

    public string Version => manifest.Version;

    /// <summary>Where its graphs run, and why not on a GPU.</summary>
    public string Device => decoder.Device;

    public ImageShape Shape => manifest.Image;

    /// <summary>How images become its input: as they did in training, but that none is refused for its size.</summary>
    public ImageTarget Input => new(Shape, manifest.Fit is { } fit and not ImageFit.Strict ? fit : ImageFit.Crop);

    public int LatentSize => manifest.LatentSize;

    public bool Conditional => manifest.Conditional;

    public IReadOnlyList<string> Labels => manifest.Labels;

    /// <summary>How to give a label, for messages.</summary>
    public string LabelHint => $"give one by name: {string.Join(", ", Labels.Take(20))}{(Labels.Count > 20 ? ", …" : "")}; "
        + $"or by number, from index:0 to index:{Labels.Count - 1}.";

    public AnomalyCalibration? Anomaly => manifest.Anomaly;

    /// <summary>How many images <see cref="Anomaly"/> is from.</summary>
    public int CalibratedOn => manifest.Data.Test;

    /// <summary>Those that were published with the version.</summary>
    public IReadOnlyList<Concept> Concepts { get; }

    /// <summary>Where training images' codes lie; those of N(0, I) where the version does not say.</summary>
    public PrincipalAxes Axes { get; }

    /// <summary>The posterior of each image.</summary>
    /// <param name="labels">One for each image; null where the model is not conditional.</param>
    /// <exception cref="OverloadedException">Too many images wait already.</exception>
    /// <exception cref="RequestException">422: the model gives no finite latent for an image, and would not at another
    /// try.</exception>
    public async Task<Posterior> EncodeAsync(
        IReadOnlyCollection<FittedImage> images, long[]? labels, CancellationToken cancellation) =>
        await EncodeAsync(Rows.Join(images.Select(image => image.Image.Pixels)), labels, cancellation);

    /// <param name="pixels">[N, H, W, C]</param>
    public async Task<Posterior> EncodeAsync(byte[] pixels, long[]? labels, CancellationToken cancellation)
    {
        var rows = (await encoding.RunAsync(pixels, labels, cancellation)).Chunk(LatentSize).ToArray();
        foreach (var (i, row) in rows.Index())
        {
            if (!row.All(float.IsFinite))
                throw new RequestException(StatusCodes.Status422UnprocessableEntity,
                    $"Model {Model}, version {Version} gives latents that are not finite for "
                        + $"{(rows.Length == 2 ? "this image" : $"image {i / 2 + 1}")}. "
                    + "Send another image; if that one is ordinary, the version is at fault: roll back or train anew.");
        }
        return new([.. rows.Where((_, i) => i % 2 == 0)], [.. rows.Where((_, i) => i % 2 == 1)]);
    }

    /// <summary>The image of each latent vector.</summary>
    /// <exception cref="OverloadedException">Too many images wait already.</exception>
    public async Task<Image[]> DecodeAsync(
        IReadOnlyCollection<float[]> latents, long[]? labels, CancellationToken cancellation) =>
        [.. (await decoding.RunAsync(Rows.Join(latents), labels, cancellation)).Chunk(Shape.Size)
            .Select(pixels => new Image(Shape, pixels))];

    /// <summary>Latent vectors from the prior. Each has a stream of its own, so that a larger count begins with the latents of a
    /// smaller one.</summary>
    /// <param name="temperature">The normal's standard deviation, or what divides the logits of codes.</param>
    /// <param name="first">The number of the first one.</param>
    /// <exception cref="RequestException">409: the model has no prior to draw from.</exception>
    /// <exception cref="OverloadedException">Too many images wait already.</exception>
    public async Task<float[][]> DrawAsync(
        int count, ulong seed, float temperature, CancellationToken cancellation, long first = 0)
    {
        if (manifest.Prior == Prior.None)
        {
            throw new RequestException(StatusCodes.Status409Conflict,
                $"Model {Model} is a plain autoencoder: nothing says which of its codes are likely, so it has no prior to sample "
                    + "from. Reconstruct with it, or train it anew on 50 images or more, to whose codes a prior is fitted.");
        }
        return await prior.DrawAsync(count, seed, temperature, first, cancellation);
    }

    /// <summary>log p of each latent vector in nats, under what latents are drawn from; null where nothing says which are
    /// likely.</summary>
    /// <exception cref="OverloadedException">Too many images wait already.</exception>
    public Task<double[]?> LogDensitiesAsync(IReadOnlyCollection<float[]> latents, CancellationToken cancellation) =>
        prior.LogDensitiesAsync(latents, cancellation);

    /// <exception cref="RequestException">409: nothing says where its latents lie.</exception>
    public void RequireAxes()
    {
        if (manifest.Prior != Prior.StandardNormal && manifest.Files.All(file => file.Name != PrincipalAxes.FileName))
        {
            throw new RequestException(StatusCodes.Status409Conflict,
                $"{Model} is a {manifest.Kind} whose latents have no normal prior, and it was published without the axes along "
                    + "which they lie; interpolate between images instead, or train it anew.");
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
        encoding.Dispose();
        decoding.Dispose();
        encoder.Dispose();
        decoder.Dispose();
        prior.Dispose();
    }

    /// <summary>Means and log variances by turns: [N, 2, L].</summary>
    void RunEncoder(byte[] pixels, long[]? labels, int count, Action<ReadOnlySpan<float>> take)
    {
        using var results = encoder.Run(count, labels is null ? [pixels] : [pixels, labels]);
        ReadOnlySpan<float> mean = results[0].GetTensorDataAsSpan<float>(), logVariance = results[1].GetTensorDataAsSpan<float>();
        var rows = new float[count * 2 * LatentSize];
        for (var i = 0; i < count; i++)
        {
            mean.Slice(i * LatentSize, LatentSize).CopyTo(rows.AsSpan(2 * i * LatentSize));
            logVariance.Slice(i * LatentSize, LatentSize).CopyTo(rows.AsSpan((2 * i + 1) * LatentSize));
        }
        take(rows);
    }

    void RunDecoder(float[] latents, long[]? labels, int count, Action<ReadOnlySpan<byte>> take)
    {
        using var results = decoder.Run(count, labels is null ? [latents] : [latents, labels]);
        take(results[0].GetTensorDataAsSpan<byte>()[..(count * Shape.Size)]);
    }

    void WarmUp()
    {
        long[]? label = Conditional ? [0] : null;
        float[] posterior = [];
        RunEncoder(new byte[Shape.Size], label, 1, rows => posterior = rows.ToArray());
        if (!posterior.All(float.IsFinite))
            throw new ModelUnavailableException("encoder.onnx gives numbers that are not finite for a black image.");
        RunDecoder(posterior[..LatentSize], label, 1, _ => { });
        if (manifest.Prior != Prior.None && !prior.Draw(1, 0, 0, 0, default)[0].All(float.IsFinite))
            throw new ModelUnavailableException("prior.onnx draws numbers that are not finite.");
        prior.LogDensities([posterior[..LatentSize]], default);
    }
}
