using System.Text.Json.Serialization;

namespace VaeFunctions.Imaging;

/// <summary>How an image of another size comes into the model's.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ImageFit>))]
public enum ImageFit
{
    /// <summary>The largest part of its aspect in the middle, resized.</summary>
    [JsonStringEnumMemberName("crop")]
    Crop,

    /// <summary>All of it, resized, with black beside it.</summary>
    [JsonStringEnumMemberName("pad")]
    Pad,

    /// <summary>All of it, resized, whatever becomes of its aspect.</summary>
    [JsonStringEnumMemberName("stretch")]
    Stretch,

    /// <summary>Not at all: another size is an error.</summary>
    [JsonStringEnumMemberName("strict")]
    Strict,
}
