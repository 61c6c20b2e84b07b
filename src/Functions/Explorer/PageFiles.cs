using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace VaeFunctions.Serving;

/// <summary>A file of the explorer's page, packed with gzip when it is first asked for.</summary>
sealed class PageFile
{
    /// <summary>Beyond this many bytes a file is packed in a hurry: someone waits for it.</summary>
    const int Large = 1 << 20;

    readonly string path;
    readonly Lazy<byte[]> bytes, packed;
    readonly Lazy<EntityTagHeaderValue> tag;

    public PageFile(string path)
    {
        this.path = path;
        bytes = new(() => File.ReadAllBytes(path));
        packed = new(() => Pack(Bytes));
        tag = new(() => new($"\"{Convert.ToHexStringLower(SHA256.HashData(Bytes))[..32]}\"", isWeak: true));
    }

    public byte[] Bytes => bytes.Value;

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

    static byte[] Pack(byte[] content)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, content.Length > Large ? CompressionLevel.Fastest : CompressionLevel.Optimal))
            gzip.Write(content);
        return memory.ToArray();
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
