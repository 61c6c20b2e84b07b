using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Report;

/// <summary>What a model draws, as sheets of images.</summary>
public static class Pictures
{
    const int Columns = 8;

    /// <summary>Images decoded from the prior, the same latents every time.</summary>
    public static Image Samples(Vae model, int count = 64, ulong seed = 1)
    {
        var noise = new RandomStream(seed, "samples").Gaussians(count * model.LatentSize);
        var backend = model.Parameters.Backend;
        using var scope = backend.BeginScope();
        return Sheet(Images(model.DecodePixels(backend.FromValues(noise, new(count, model.LatentSize))), model.Image));
    }

    /// <summary>Rows of test images from all over the set, each above its reconstruction from the posterior's mean.</summary>
    public static Image Reconstructions(Vae model, ImageDataset data, int count = 32)
    {
        count = Math.Min(count, data.Count);
        List<Image> originals = [.. Enumerable.Range(0, count).Select(i => data.Image((int)((long)i * data.Count / count)))];
        var backend = model.Parameters.Backend;
        using var scope = backend.BeginScope();
        var pixels = backend.FromValues([.. originals.SelectMany(image => image.Pixels, (_, pixel) => (float)pixel)],
            new(count, model.Image.Height, model.Image.Width, model.Image.Channels));
        var decoded = Images(model.DecodePixels(model.EncodePixels(pixels).Mean), model.Image);
        return Sheet([.. originals.Chunk(Columns).Zip(decoded.Chunk(Columns)).SelectMany(rows => (Image[])[.. rows.First, .. rows.Second])]);
    }

    static Image Sheet(Image[] images) =>
        ImageGrid.Compose(images, Math.Min(Columns, images.Length), padding: 2, scale: Math.Max(1, 64 / images[0].Height));

    static Image[] Images(Tensor pixels, ImageShape shape) =>
        [.. pixels.ToArray().Chunk(shape.Size).Select(image => new Image(shape, Array.ConvertAll(image, value => (byte)value)))];
}
