using VaeFunctions.Features;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Training;

/// <summary>Some images of a data set, with their labels where the model takes them, and the noise of their latents.</summary>
/// <param name="Pixels">[N, H, W, C], 0 to 255; empty where a device keeps them.</param>
/// <param name="Labels">[N], or null.</param>
/// <param name="Noise">[N · S, L], standard normal, for S draws of each image.</param>
public sealed record Batch(int Count, float[] Pixels, Shape PixelShape, float[]? Labels, float[] Noise, Shape NoiseShape)
{
    /// <summary>The images' places among those that a device keeps, if it does.</summary>
    public (KeptRows Images, int[] Places)? Resident { get; init; }

    /// <summary>The images on a back end.</summary>
    public Tensor PixelsOn(IBackend backend)
    {
        if (Resident is not var (images, places)) return backend.FromValues(Pixels, PixelShape);
        var pixels = images.Take(places, PixelShape);
        return backend is IGradientTape tape ? tape.Constant(pixels) : pixels;
    }

    /// <summary>Their labels, or null where the model takes none.</summary>
    public Tensor? LabelsOn(IBackend backend) => Labels is null ? null : backend.FromValues(Labels, new(Count));

    /// <summary>The terms of these images' negative ELBO, computed on a back end.</summary>
    /// <param name="distance">Adds the perceptual distance of images and reconstructions, where it is given.</param>
    public NegativeElbo Terms(Vae model, IBackend backend, PerceptualDistance? distance = null)
    {
        var pixels = PixelsOn(backend);
        var terms = model.Terms(pixels, backend.FromValues(Noise, NoiseShape), LabelsOn(backend));
        return distance is null || terms.Decoded is not { } decoded
            ? terms
            : terms with { Perceptual = distance.Of(model.Likelihood.Shades(decoded), pixels.Transpose(0, 3, 1, 2)) };
    }
}
