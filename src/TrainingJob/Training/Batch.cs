using VaeFunctions.Data;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Training;

/// <summary>Some images of a data set, with their labels where the model takes them, and the noise of their latents.</summary>
/// <param name="Pixels">[N, H, W, C], 0 to 255.</param>
/// <param name="Labels">[N], or null.</param>
/// <param name="Noise">[N · S, L], standard normal, for S draws of each image.</param>
public sealed record Batch(int Count, float[] Pixels, Shape PixelShape, float[]? Labels, float[] Noise, Shape NoiseShape)
{
    /// <param name="samples">S, the latents drawn for each image.</param>
    /// <param name="binarization">Draws each pixel anew, black or white; null leaves them as they are.</param>
    /// <param name="used">A batch that nobody needs any more, whose memory may be taken.</param>
    public static Batch Gather(ImageDataset data, ReadOnlySpan<int> indices, Vae model, RandomStream noise, int samples = 1,
        RandomStream? binarization = null, Batch? used = null)
    {
        CheckLabels(data, model);
        var size = data.Shape.Size;
        var pixels = used?.Pixels.Length == indices.Length * size ? used.Pixels : new float[indices.Length * size];
        for (var i = 0; i < indices.Length; i++)
        {
            var source = data.Pixels(indices[i]);
            var target = pixels.AsSpan(i * size, size);
            for (var p = 0; p < size; p++) target[p] = binarization is null ? source[p] : Binarization.Draw(source[p], binarization);
        }
        var labels = model.Classes == 0 ? null : new float[indices.Length];
        for (var i = 0; i < labels?.Length; i++) labels[i] = data.Labels![indices[i]];
        var draws = indices.Length * samples;
        return new(indices.Length, pixels, new(indices.Length, data.Shape.Height, data.Shape.Width, data.Shape.Channels), labels,
            noise.Gaussians(draws * model.LatentSize), new(draws, model.LatentSize));
    }

    /// <summary>The images on a back end.</summary>
    public Tensor PixelsOn(IBackend backend) => backend.FromValues(Pixels, PixelShape);

    /// <summary>Their labels, or null where the model takes none.</summary>
    public Tensor? LabelsOn(IBackend backend) => Labels is null ? null : backend.FromValues(Labels, new(Count));

    /// <summary>The terms of these images' negative ELBO, computed on a back end.</summary>
    public NegativeElbo Loss(Vae model, IBackend backend) => model.Loss(PixelsOn(backend), backend.FromValues(Noise, NoiseShape), LabelsOn(backend));

    /// <exception cref="DataException">The model needs labels that the data lacks.</exception>
    static void CheckLabels(ImageDataset data, Vae model)
    {
        if (model.Classes == 0) return;
        if (data.Labels is null)
            throw new DataException($"The model is conditional on {model.Classes} labels, but the images have none; take labelled images, or leave model.classes out of the recipe.");
        if (data.LabelNames.Count > model.Classes)
            throw new DataException($"The images have {data.LabelNames.Count} labels, but the model is conditional on {model.Classes}; set model.classes to {data.LabelNames.Count}.");
    }
}
