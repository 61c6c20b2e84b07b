using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>The bodies of answers.</summary>
static class Answers
{
    static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static FileContentResult Png(Image image) => new(ImageCodec.EncodePng(image), "image/png");

    public static ContentResult Json(object value, int status = StatusCodes.Status200OK) => new()
    {
        StatusCode = status,
        ContentType = "application/json",
        Content = JsonSerializer.Serialize(value, Options),
    };

    /// <summary>PNGs in a ZIP, named 001.png and so on; PNGs do not shrink further, so they are stored.</summary>
    public static FileContentResult Zip(IEnumerable<Image> images)
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

    /// <summary>Images as what was asked for: a grid, a ZIP, an animation or JSON.</summary>
    public static IActionResult Pictures(AnswerKind kind, IReadOnlyList<Image> images, int columns, Func<object> json, int milliseconds = 100) => kind switch
    {
        AnswerKind.Png => Png(images is [var only] ? only : ImageGrid.Compose(images, columns)),
        AnswerKind.Zip => Zip(images),
        AnswerKind.Apng => new FileContentResult(AnimatedPng.Encode(images, milliseconds), "image/apng"),
        _ => Json(json()),
    };

    /// <summary>About as many columns as rows.</summary>
    public static int Square(int count) => (int)Math.Ceiling(Math.Sqrt(count));

    /// <exception cref="RequestException">400: an answer would hold more images or pixels than the limits.</exception>
    public static void CheckAnswer(this ServingOptions options, long images, ImageShape shape)
    {
        var most = Math.Min(options.MaxSampleCount, options.MaxImagePixels / (shape.Height * shape.Width));
        if (images > most)
            throw RequestException.Invalid($"The answer would hold {images} images of {shape}; at most {most} are given at once. Ask for fewer.");
    }
}
