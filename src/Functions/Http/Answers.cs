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

    /// <summary>Cuts [N, H, W, C] into N images.</summary>
    public static Image[] Images(byte[] pixels, ImageShape shape) =>
        [.. Enumerable.Range(0, pixels.Length / shape.Size).Select(i => new Image(shape, pixels.AsSpan(i * shape.Size, shape.Size).ToArray()))];
}
