using VaeFunctions.Data;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Training;

/// <summary>Some images of a data set, with the noise of their latents.</summary>
/// <param name="Pixels">[N, H, W, C], 0 to 255.</param>
/// <param name="Noise">[N, L], standard normal.</param>
public sealed record Batch(int Count, float[] Pixels, Shape PixelShape, float[] Noise, Shape NoiseShape)
{
    public static Batch Gather(ImageDataset data, ReadOnlySpan<int> indices, Vae model, RandomStream noise)
    {
        var size = data.Shape.Size;
        var pixels = new float[indices.Length * size];
        for (var i = 0; i < indices.Length; i++)
        {
            var source = data.Pixels(indices[i]);
            var target = pixels.AsSpan(i * size, size);
            for (var p = 0; p < size; p++) target[p] = source[p];
        }
        return new(indices.Length, pixels, new(indices.Length, data.Shape.Height, data.Shape.Width, data.Shape.Channels),
            noise.Gaussians(indices.Length * model.LatentSize), new(indices.Length, model.LatentSize));
    }

    /// <summary>The negative ELBO of these images, computed on a back end.</summary>
    public NegativeElbo Loss(Vae model, IBackend backend) =>
        model.Loss(backend.FromValues(Pixels, PixelShape), backend.FromValues(Noise, NoiseShape));
}
