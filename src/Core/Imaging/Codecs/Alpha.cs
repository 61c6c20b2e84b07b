namespace VaeFunctions.Imaging.Codecs;

/// <summary>What lies behind the transparent parts of an image.</summary>
internal static class Alpha
{
    /// <summary>Drops the last channel of every pixel: colour · alpha + white · (1 − alpha), rounded.</summary>
    public static Image OnWhite(int width, int height, int channels, ReadOnlySpan<byte> withAlpha)
    {
        var pixels = new byte[width * height * channels];
        for (int from = 0, to = 0; to < pixels.Length; from++)
        {
            int alpha = withAlpha[from + channels];
            for (var c = 0; c < channels; c++, from++, to++)
                pixels[to] = (byte)((withAlpha[from] * alpha + 255 * (255 - alpha) + 127) / 255);
        }
        return new Image(width, height, channels, pixels);
    }
}
