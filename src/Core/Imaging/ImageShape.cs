using System.Text.Json.Serialization;

namespace VaeFunctions.Imaging;

/// <summary>The extents of an image in pixels and its channels: 1 is grey, 3 is RGB.</summary>
public readonly record struct ImageShape(int Height, int Width, int Channels)
{
    /// <summary>Bytes of one image, a byte a channel.</summary>
    [JsonIgnore]
    public int Size => Height * Width * Channels;

    public override string ToString() => $"{Width}×{Height}×{Channels}";
}
