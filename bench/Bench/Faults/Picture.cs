using System.Globalization;
using VaeFunctions.Imaging;
using VaeFunctions.Tests;

namespace VaeFunctions.Bench.Faults;

/// <summary>An image of four grey bands, of which every right answer is known: each of the tiny model's latents is a band's grey
/// minus ½, and decoding gives it back, brighter by what the version's name ends with.</summary>
sealed record Picture(byte First, byte Second, byte Third, byte Fourth)
{
    byte[] Bands => [First, Second, Third, Fourth];

    /// <summary>Pictures that differ, none of them so bright that a brighter version would clip it.</summary>
    public static Picture Of(int number) => new(
        (byte)(number % 200), (byte)(number / 200 % 200), (byte)(number * 37 % 200), (byte)(number * 101 % 200));

    /// <summary>What the encoder makes of it.</summary>
    public IEnumerable<float> Latent => Bands.Select(grey => grey / 255f - 0.5f);

    /// <summary>What a brighter version makes of it.</summary>
    public Picture Brighter(int by) => new((byte)(First + by), (byte)(Second + by), (byte)(Third + by), (byte)(Fourth + by));

    public byte[] Png() => Pictures.Bands(First, Second, Third, Fourth);

    /// <summary>The version that decodes so much brighter, in steps of a pixel's value.</summary>
    public static byte[] Decoder(int brighter) => TinyModel.Decoder(brighter / 255f);

    /// <summary>How much brighter a version decodes, by its name.</summary>
    public static int BrightnessOf(string version) => int.Parse(version[^1..], CultureInfo.InvariantCulture);

    public bool IsLatent(IReadOnlyList<float> latent) => latent.Count == Bands.Length
        && Latent.Zip(latent).All(pair => Math.Abs(pair.First - pair.Second) < 1e-4f);

    public bool IsDecoded(byte[] png, string version)
    {
        try
        {
            return ImageCodec.Decode(png).Pixels.SequenceEqual(ImageCodec.Decode(Brighter(BrightnessOf(version)).Png()).Pixels);
        }
        catch (ImageFormatException)
        {
            return false;
        }
    }
}
