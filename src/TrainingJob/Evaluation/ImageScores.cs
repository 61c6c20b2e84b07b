using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Evaluation;

/// <summary>What a model makes of each image of a set. All depends on the recipe's seed alone.</summary>
public sealed class ImageScores
{
    readonly int draws;

    ImageScores(int images, int latents, int draws)
    {
        this.draws = draws;
        (Reconstruction, Kl, Error) = (new double[images], new double[images], new double[images]);
        (Psnr, Ssim, Sharpness) = (new double[images], new double[images], new double[images]);
        Means = new float[images * latents];
        Traits = new IReadOnlyDictionary<string, double>[images];
    }

    /// <summary>−log p(x | z) up to a constant, the mean of the draws.</summary>
    public double[] Reconstruction { get; }

    /// <summary>Σ over latents, in nats.</summary>
    public double[] Kl { get; }

    /// <summary>−ELBO</summary>
    public double[] NegativeElbo => [.. Reconstruction.Zip(Kl, (reconstruction, kl) => reconstruction + kl)];

    /// <summary>The mean squared difference between an image and its reconstruction from the posterior's mean, pixels in [0, 1]:
    /// the anomaly score that is served.</summary>
    public double[] Error { get; }

    public double[] Psnr { get; }

    public double[] Ssim { get; }

    /// <summary>Of the reconstructions.</summary>
    public double[] Sharpness { get; }

    /// <summary>The posteriors' means, [images, latents].</summary>
    public float[] Means { get; }

    /// <summary>What can be said of the images themselves.</summary>
    public IReadOnlyDictionary<string, double>[] Traits { get; }

    /// <summary>−log p of each mean under what the model's latents are drawn from, in nats; null where nothing says which are
    /// likely.</summary>
    public double[]? Surprise { get; private set; }

    /// <summary>How strange each image is by all that serving judges by.</summary>
    public double[] Joint(AnomalyCalibration calibration) =>
        [.. Error.Select((error, i) => Anomaly.Joint(calibration, error, Surprise?[i], Traits[i]).Steps)];

    /// <summary>The mean KL of each latent, or of each place of a grid of codes.</summary>
    public double[] KlPerLatent { get; private set; } = [];

    /// <summary>How often each code was taken; empty where there is no codebook.</summary>
    public Dictionary<int, long> Codes { get; } = [];

    /// <param name="draws">Latents drawn for each image.</param>
    /// <param name="quality">Whether PSNR, SSIM and sharpness are wanted.</param>
    public static ImageScores Of(Vae model, ImageDataset data, ulong seed, int draws = 1, bool quality = true,
        CancellationToken cancellation = default)
    {
        var scores = new ImageScores(data.Count, model.LatentSize, draws);
        using var images = new BatchSource(data, model);
        int[] order = [.. Enumerable.Range(0, data.Count)];
        var size = Measure.BatchOf(model.Image);
        for (var start = 0; start < data.Count; start += size)
        {
            cancellation.ThrowIfCancellationRequested();
            var places = order.AsSpan(start, Math.Min(size, data.Count - start));
            scores.Add(model, data, start, images.Gather(places, new(seed, "evaluation noise", (ulong)start), draws), quality);
        }
        for (var latent = 0; latent < scores.KlPerLatent.Length; latent++) scores.KlPerLatent[latent] /= data.Count;
        scores.Surprise = SurpriseOf(model, scores.Means);
        return scores;
    }

    static double[]? SurpriseOf(Vae model, float[] means)
    {
        var backend = model.Parameters.Backend;
        List<double> surprise = [];
        foreach (var rows in means.Chunk(Measure.BatchOf(model.Image) * model.LatentSize))
        {
            using var scope = backend.BeginScope();
            var latents = backend.FromValues(rows, new(rows.Length / model.LatentSize, model.LatentSize));
            if (model.LogPrior(latents) is not { } log) return null;
            surprise.AddRange(log.ToArray().Select(value => -(double)value));
        }
        return [.. surprise];
    }

    /// <summary>The posteriors' means alone, [images, latents].</summary>
    public static float[] MeansOf(Vae model, ImageDataset data, CancellationToken cancellation = default)
    {
        var means = new float[data.Count * model.LatentSize];
        var backend = model.Parameters.Backend;
        using var images = new BatchSource(data, model);
        foreach (var places in Enumerable.Range(0, data.Count).Chunk(Measure.BatchOf(model.Image)))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = backend.BeginScope();
            var batch = images.Gather(places, new(0, "none"), samples: 0);
            backend.CopyTo(model.EncodePixels(batch.PixelsOn(backend), batch.LabelsOn(backend)).Mean,
                means.AsSpan(places[0] * model.LatentSize, places.Length * model.LatentSize));
        }
        return means;
    }

    void Add(Vae model, ImageDataset data, int start, Batch batch, bool quality)
    {
        var backend = model.Parameters.Backend;
        using var scope = backend.BeginScope();
        var terms = batch.Terms(model, backend);
        AddMeans(terms.Reconstruction.ToArray(), Reconstruction, start, batch.Count);
        AddMeans(terms.Kl.SumPerImage().ToArray(), Kl, start, batch.Count);
        var kl = terms.Kl.Sum(0).ToArray();
        if (KlPerLatent.Length == 0) KlPerLatent = new double[kl.Length];
        for (var latent = 0; latent < kl.Length; latent++) KlPerLatent[latent] += kl[latent] * batch.Count / terms.Kl.Shape[0];
        foreach (var code in terms.Codes?.ToArray() ?? []) Codes[(int)code] = Codes.GetValueOrDefault((int)code) + 1;

        var labels = batch.LabelsOn(backend);
        var mean = model.EncodePixels(batch.PixelsOn(backend), labels).Mean;
        mean.ToArray().CopyTo(Means, start * model.LatentSize);
        var pixels = Array.ConvertAll(model.DecodePixels(mean, labels).ToArray(), value => (byte)value);
        var size = model.Image.Size;
        Parallel.For(0, batch.Count, i =>
        {
            ReadOnlySpan<byte> original = data.Pixels(start + i), reconstructed = pixels.AsSpan(i * size, size);
            Error[start + i] = ImageQuality.Error(original, reconstructed);
            Traits[start + i] = ImageTraits.Of(data.Image(start + i));
            if (!quality) return;
            Psnr[start + i] = ImageQuality.Psnr(original, reconstructed);
            Ssim[start + i] = ImageQuality.Ssim(model.Image, original, reconstructed);
            Sharpness[start + i] = ImageTraits.VarianceOfLaplacian(new(model.Image, reconstructed.ToArray()));
        });
    }

    /// <summary>A model that draws nothing has one value for an image, whatever was asked for.</summary>
    void AddMeans(float[] values, double[] target, int start, int count)
    {
        var each = values.Length / count;
        if (each != draws && each != 1)
            throw new InvalidOperationException($"{values.Length} values were found for {count} images and {draws} draws each.");
        for (var i = 0; i < values.Length; i++) target[start + i / each] += (double)values[i] / each;
    }
}
