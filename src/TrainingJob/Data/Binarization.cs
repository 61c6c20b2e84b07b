using System.Text.Json.Serialization;

namespace VaeFunctions.Data;

/// <summary>
/// Whether images become black and white, each pixel white with its brightness as probability. (Salakhutdinov and Murray 2008)
/// </summary>
[JsonConverter(typeof(JsonStringEnumConverter<BinarizationKind>))]
public enum BinarizationKind
{
    /// <summary>They stay grey.</summary>
    [JsonStringEnumMemberName("none")]
    None,

    /// <summary>Drawn once, from the seed.</summary>
    [JsonStringEnumMemberName("static")]
    Static,

    /// <summary>Drawn anew in every epoch for training, once for testing.</summary>
    [JsonStringEnumMemberName("dynamic")]
    Dynamic,
}

static class Binarization
{
    /// <summary>255 with the probability pixel / 255, else 0.</summary>
    public static byte Draw(float pixel, RandomStream random) => pixel > random.NextDouble() * 255 ? byte.MaxValue : (byte)0;

    /// <summary>
    /// What does not change from epoch to epoch: the test images, and for static binarisation those to train on.
    /// </summary>
    public static DataSplit Apply(DataSplit data, BinarizationKind kind, ulong seed) => kind switch
    {
        BinarizationKind.Static => DataSplit.Of(Of(data.Train, seed, "training"), Of(data.Test, seed, "test"), data.Source),
        BinarizationKind.Dynamic => DataSplit.Of(data.Train, Of(data.Test, seed, "test"), data.Source),
        _ => data,
    };

    static ImageDataset Of(ImageDataset images, ulong seed, string part) => images.Map((index, pixels) =>
    {
        var random = new RandomStream(seed, $"binarization of {part} images", (ulong)index);
        return Array.ConvertAll(pixels, pixel => Draw(pixel, random));
    });

}
