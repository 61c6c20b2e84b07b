using System.Runtime.InteropServices;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.LocalCloud;

/// <summary>The map of a version as one picture: thumbnails that the functions decode from the published latents.</summary>
static class MapPicture
{
    const int Side = 900, Thumbnail = 18, Edge = 16, AtOnce = 128, Paper = 18;

    public static async Task<byte[]> DrawAsync(
        Manifest manifest, ModelRegistry registry, FunctionsClient functions, CancellationToken cancellation)
    {
        var map = Safetensors.Read(await registry.ReadFileAsync(manifest, "map.safetensors", cancellation));
        var positions = MemoryMarshal.Cast<byte, short>(map["positions"].Data.Span).ToArray();
        var latents = Latents(map, manifest.LatentSize);
        var pixels = new byte[Side * Side * 3];
        Array.Fill(pixels, (byte)Paper);
        foreach (var part in Enumerable.Range(0, latents.Length).Chunk(AtOnce))
        {
            var pictures = await functions.DecodeAsync(part.Select(point => latents[point]), cancellation);
            foreach (var (point, png) in part.Zip(pictures))
                Put(ImageCodec.Decode(png).ToChannels(3).Resize(Thumbnail, Thumbnail), pixels,
                    Place(positions[2 * point]), Place(positions[2 * point + 1]));
        }
        return ImageCodec.EncodePng(new Image(Side, Side, 3, pixels));
    }

    /// <summary>[N][L], from eight bits and a step for each latent, or from codes.</summary>
    static float[][] Latents(SafetensorsFile map, int size)
    {
        if (!map.TryGet("codes", out var packed))
        {
            var (whole, steps) = (MemoryMarshal.Cast<byte, sbyte>(map["latents"].Data.Span).ToArray(), map.GetFloats("steps"));
            return [.. whole.Chunk(size).Select(row => row.Select((value, i) => value * steps[i]).ToArray())];
        }
        var codes = MemoryMarshal.Cast<byte, ushort>(packed.Data.Span).ToArray();
        var book = map.GetFloats("codebook");
        var places = codes.Length / (int)packed.Shape[0];
        var depth = size / places;
        return [.. codes.Chunk(places).Select(row => row.SelectMany(code => book.Skip(code * depth).Take(depth)).ToArray())];
    }

    /// <summary>The middle of a thumbnail, in pixels.</summary>
    static int Place(short coordinate) => Edge + (int)((coordinate / (double)short.MaxValue + 1) / 2 * (Side - 2 * Edge));

    /// <summary>Draws a thumbnail without its corners.</summary>
    static void Put(Image picture, byte[] pixels, int centreX, int centreY)
    {
        for (var y = 0; y < Thumbnail; y++)
            for (var x = 0; x < Thumbnail; x++)
            {
                if (Math.Pow(Math.Abs(x - (Thumbnail - 1) / 2.0), 4) + Math.Pow(Math.Abs(y - (Thumbnail - 1) / 2.0), 4)
                    > Math.Pow(Thumbnail / 2.0, 4)) continue;
                var to = ((centreY - Thumbnail / 2 + y) * Side + centreX - Thumbnail / 2 + x) * 3;
                picture.Pixels.AsSpan((y * Thumbnail + x) * 3, 3).CopyTo(pixels.AsSpan(to));
            }
    }
}
