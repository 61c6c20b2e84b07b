using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace VaeFunctions.Serving;

/// <summary>A file of the explorer's page, packed with gzip when it is first asked for. Only that is held in memory: the largest
/// has 14 MB, and hardly anybody asks for it unpacked.</summary>
sealed class PageFile
{
    /// <summary>Beyond this many bytes a file is packed in a hurry: someone waits for it.</summary>
    const int Large = 1 << 20;

    readonly string path;
    readonly Lazy<byte[]> packed;
    readonly Lazy<EntityTagHeaderValue> tag;

    public PageFile(string path)
    {
        this.path = path;
        packed = new(Pack);
        tag = new(MakeTag);
    }

    public byte[] Packed => packed.Value;

    public EntityTagHeaderValue Tag => tag.Value;

    public string Type => Path.GetExtension(path) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" or ".mjs" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        ".wasm" => "application/wasm",
        _ => "application/octet-stream",
    };

    /// <summary>The file as it is, for the few who do not take gzip.</summary>
    public Stream Open() => File.OpenRead(path);

    byte[] Pack()
    {
        using var content = Open();
        using var memory = new MemoryStream((int)(content.Length / 3)); // enough for the largest, which is not copied as it grows
        using (var gzip = new GZipStream(memory, content.Length > Large ? CompressionLevel.Fastest : CompressionLevel.Optimal))
            content.CopyTo(gzip);
        return memory.ToArray();
    }

    EntityTagHeaderValue MakeTag()
    {
        using var content = Open();
        return new($"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..32]}\"", isWeak: true);
    }
}

/// <summary>The files of the explorer's page, beside the program; nothing else can be asked for.</summary>
static class PageFiles
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "wwwroot");

    public static IReadOnlyDictionary<string, PageFile> All { get; } = Directory.GetFiles(Folder)
        .OrderBy(path => path, StringComparer.Ordinal)
        .ToDictionary(path => Path.GetFileName(path), path => new PageFile(path), StringComparer.Ordinal);
}
