namespace VaeFunctions.Imaging.Codecs;

/// <summary>Decoded samples to an image: transparent parts on white, inks to light, 16 bits rounded to 8.</summary>
internal static class Samples
{
    const int Paper = byte.MaxValue;

    /// <param name="samples">Row by row, a pixel's samples side by side; taken over.</param>
    /// <param name="bands">
    /// 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGB and alpha, or the inks cyan, magenta, yellow and black).
    /// </param>
    public static Image ToImage(int width, int height, int bands, byte[] samples, bool isInk = false)
    {
        if (bands is 1 or 3) return new Image(width, height, bands, samples);
        var channels = bands == 2 ? 1 : 3;
        var pixels = new byte[width * height * channels];
        for (int from = 0, to = 0; from < samples.Length; from += bands, to += channels)
        {
            var last = samples[from + bands - 1]; // alpha, or black ink
            for (var c = 0; c < channels; c++)
                pixels[to + c] = isInk
                    ? (byte)(((Paper - samples[from + c]) * (Paper - last) + Paper / 2) / Paper)
                    : (byte)((samples[from + c] * last + Paper * (Paper - last) + Paper / 2) / Paper);
        }
        return new Image(width, height, channels, pixels);
    }

    public static byte[] Rounded(ushort[] samples) => Array.ConvertAll(samples, value => (byte)((value * 255 + 32895) >> 16));
}
