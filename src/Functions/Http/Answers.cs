using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>The bodies of answers.</summary>
static class Answers
{
    /// <summary>How records become JSON: names in camel case, and nothing for null.</summary>
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        // a diverged model's metrics are NaN, and can still be asked for
        NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static ContentResult Json<T>(T value, int status = StatusCodes.Status200OK, string type = "application/json") => new()
    {
        StatusCode = status,
        ContentType = type,
        Content = JsonSerializer.Serialize(value, Options),
    };

    /// <summary>The same JSON, for a blob.</summary>
    public static BinaryData Document<T>(T value) => new(JsonSerializer.SerializeToUtf8Bytes(value, Options));

    /// <summary>Images as PNG, ZIP or animation; several images in one PNG are a grid.</summary>
    /// <param name="columns">Of the grid.</param>
    /// <param name="milliseconds">How long an animation shows each image.</param>
    public static FileContentResult Pictures(
        AnswerKind kind, IReadOnlyList<Image> images, int columns, int milliseconds) => kind switch
        {
            AnswerKind.Zip => Zip(images),
            AnswerKind.Apng => new(AnimatedPng.Encode(images, milliseconds), "image/apng"),
            _ => new(ImageCodec.EncodePng(images is [var only] ? only : ImageGrid.Compose(images, columns)), "image/png"),
        };

    /// <summary>About as many columns as rows.</summary>
    public static int Square(int count) => (int)Math.Ceiling(Math.Sqrt(count));

    /// <summary>PNGs in a ZIP, named 001.png and so on; PNGs do not shrink further, so they are stored.</summary>
    static FileContentResult Zip(IEnumerable<Image> images)
    {
        using var memory = new MemoryStream();
        using (var archive = new ZipArchive(memory, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (i, image) in images.Index())
            {
                using var entry = archive.CreateEntry($"{i + 1:000}.png", CompressionLevel.NoCompression).Open();
                entry.Write(ImageCodec.EncodePng(image));
            }
        }
        return new FileContentResult(memory.ToArray(), "application/zip");
    }
}
