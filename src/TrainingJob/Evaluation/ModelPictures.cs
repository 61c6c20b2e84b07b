using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Models;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Evaluation;

/// <summary>What a model draws, as sheets of images.</summary>
public static class ModelPictures
{
    const int Columns = 8;

    /// <summary>Images decoded from the prior, the same latents every time, label after label where labels condition them; null
    /// where there is no prior.</summary>
    public static Image? Samples(Vae model, int count = 64, ulong seed = 1)
    {
        if (model.Prior == Prior.None) return null;
        var labels = model.Classes == 0 ? null : Enumerable.Range(0, count).Select(i => i % model.Classes).ToArray();
        return Sheet(Draw(model, count, labels, seed), model.Classes);
    }

    /// <summary>Images decoded from the prior.</summary>
    /// <param name="labels">One for each image, or null where labels do not condition the model.</param>
    /// <param name="unfitted">Whether to draw as if nothing had been fitted to the codes: latents from N(0, I), codes of a
    /// codebook all equally often.</param>
    public static Image[] Draw(
        Vae model, int count, int[]? labels, ulong seed, bool unfitted = false, CancellationToken cancellation = default)
    {
        var backend = model.Parameters.Backend;
        using var all = backend.BeginScope();
        var latents = model is IAutoregressive ? null : Latents(model, unfitted ? null : model.Density, backend, count, seed);
        var images = new List<Image>(count);
        foreach (var places in Enumerable.Range(0, count).Chunk(Measure.BatchOf(model.Image)))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = backend.BeginScope();
            var conditions = labels is null
                ? null
                : backend.FromValues([.. places.Select(place => (float)labels[place])], new(places.Length));
            var part = latents is not null
                ? latents.Slice(0, places[0], places.Length)
                : Codes((IAutoregressive)model, backend, places, seed, unfitted, cancellation);
            images.AddRange(Images(model.DecodePixels(part, conditions), model.Image));
        }
        return [.. images];
    }

    /// <summary>The latents of codes that are drawn place by place. Only so many images at once: their logits take memory for
    /// each image, place and code.</summary>
    static Tensor Codes(
        IAutoregressive model, IBackend backend, int[] images, ulong seed, bool unfitted, CancellationToken cancellation)
    {
        Shape grid = new(images.Length, model.Places);
        var codes = Autoregression.Sample(images.Length, model.Places, Logits, seed, first: images[0]);
        return model.Latent(backend.FromValues(codes, grid));

        float[] Logits(float[] codes)
        {
            cancellation.ThrowIfCancellationRequested();
            if (unfitted) return new float[codes.Length * model.Codes];
            using var scope = backend.BeginScope();
            return model.Logits(backend.FromValues(codes, grid)).ToArray();
        }
    }

    static Tensor Latents(Vae model, LatentDensity? density, IBackend backend, int count, ulong seed)
    {
        var random = new RandomStream(seed, "samples");
        var noise = backend.FromValues(random.Gaussians(count * model.LatentSize), new(count, model.LatentSize));
        if (density is null) return noise;
        var choices = Enumerable.Range(0, count).Select(_ => (float)random.NextDouble()).ToArray();
        return density.Draw(noise, backend.FromValues(choices, new(count)));
    }

    /// <summary>Full rows of test images from all over the set, each above its reconstruction from the posterior's
    /// mean.</summary>
    public static Image Reconstructions(Vae model, ImageDataset data, int count = 32)
    {
        count = Math.Min(count, data.Count);
        if (count > Columns) count -= count % Columns;
        int[] places = [.. Enumerable.Range(0, count).Select(i => (int)((long)i * data.Count / count))];
        List<Image> originals = [.. places.Select(data.Image)];
        var backend = model.Parameters.Backend;
        using var scope = backend.BeginScope();
        var pixels = backend.FromValues([.. originals.SelectMany(image => image.Pixels, (_, pixel) => (float)pixel)],
            new(count, model.Image.Height, model.Image.Width, model.Image.Channels));
        var labels = model.Classes == 0
            ? null
            : backend.FromValues([.. places.Select(place => (float)data.Labels![place])], new(count));
        var decoded = Images(model.DecodePixels(model.EncodePixels(pixels, labels).Mean, labels), model.Image);
        return Sheet([.. originals.Chunk(Columns).Zip(decoded.Chunk(Columns))
            .SelectMany(rows => (Image[])[.. rows.First, .. rows.Second])]);
    }

    /// <param name="columns">A column for each label; the usual number where there are none or too many.</param>
    static Image Sheet(Image[] images, int columns = 0) =>
        ImageGrid.Compose(images, Math.Min(columns is > 0 and <= 16 ? columns : Columns, images.Length), padding: 2,
            scale: Math.Max(1, 64 / images[0].Height));

    static Image[] Images(Tensor pixels, ImageShape shape) =>
        [.. pixels.ToArray().Chunk(shape.Size).Select(image => new Image(shape, Array.ConvertAll(image, value => (byte)value)))];
}
