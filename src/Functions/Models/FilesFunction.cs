using System.Security.Cryptography;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Net.Http.Headers;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Gives the files of a version. A version never changes, so whoever has a file need never ask again.</summary>
public sealed class FilesFunction(ModelRegistry registry, ModelProvider models)
{
    static readonly Dictionary<string, string> Types = new(StringComparer.OrdinalIgnoreCase)
    {
        [".json"] = "application/json",
        [".png"] = "image/png",
        [".webp"] = "image/webp",
        [".csv"] = "text/csv; charset=utf-8",
        [".html"] = "text/html; charset=utf-8",
        [".md"] = "text/markdown; charset=utf-8",
    };

    [Function("File")]
    [Describes("Give a file of a version: its manifest, or one that the manifest lists.",
        ContentType = "application/octet-stream")]
    public async Task<IActionResult> Run(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "models/{model}/versions/{version}/files/{file}")]
        HttpRequest request, string model, string version, string file, CancellationToken cancellation)
    {
        if (!ModelRegistry.IsModelName(model))
            throw await models.UnknownAsync(model, cancellation);
        try
        {
            // What serves here is the very version that was promoted; any other is what its manifest says.
            var manifest = models.ManifestOf(model) is { } serving && serving.Version == version
                ? serving
                : await registry.ReadManifestAsync(model, version, cancellation);
            var headers = request.HttpContext.Response.Headers;
            // What the report or any other file holds, it runs no script here and loads nothing.
            headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";
            headers.XContentTypeOptions = "nosniff";
            var document = file == ModelRegistry.ManifestName ? Answers.Document(manifest) : null;
            var hash = document is null ? manifest.Files.FirstOrDefault(known => known.Name == file)?.Sha256
                : Convert.ToHexStringLower(SHA256.HashData(document));
            var tag = new EntityTagHeaderValue($"\"{hash}\"");
            if (hash is not null
                && request.GetTypedHeaders().IfNoneMatch.Any(given => given.Compare(tag, useStrongComparison: false)))
            {
                Keep(headers, tag);
                return new StatusCodeResult(StatusCodes.Status304NotModified);
            }
            var content = document ?? await registry.ReadFileAsync(manifest, file, cancellation);
            Keep(headers, tag);
            var type = Types.GetValueOrDefault(Path.GetExtension(file), "application/octet-stream");
            return new FileStreamResult(content.ToStream(), type);
        }
        catch (RegistryException fault) when (fault is not ModelFormatException)
        {
            throw new RequestException(StatusCodes.Status404NotFound, fault.Message, fault);
        }
    }

    /// <summary>Private, since a shared cache would give it to those without a key.</summary>
    static void Keep(IHeaderDictionary headers, EntityTagHeaderValue tag)
    {
        headers.CacheControl = "private, max-age=31536000, immutable";
        headers.ETag = tag.ToString();
    }
}
