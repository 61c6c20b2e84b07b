using System.IO.Compression;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Scalar.AspNetCore;

namespace VaeFunctions.Serving;

/// <summary>Shows the description on a page: Scalar's script, out of its package, on a page of ours. The page sends nothing to
/// any other host, and its policy would not let it.</summary>
public static class DocsFunctions
{
    /// <summary>Styles are made by the script as it runs; scripts come from here only.</summary>
    const string Policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        + "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>The script reads its configuration from the element with this id; the addresses are relative, so that a prefix
    /// does no harm.</summary>
    const string Page = """
        <!doctype html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <title>VaeFunctions</title>
          <link rel="icon" href="data:,">
        </head>
        <body>
          <script id="api-reference" type="application/json" data-url="openapi.json" data-configuration='{
            "withDefaultFonts": false, "telemetry": false, "hideClientButton": true, "showDeveloperTools": "never",
            "agent": { "disabled": true }, "mcp": { "disabled": true }
          }'></script>
          <script src="docs/scalar.js"></script>
        </body>
        </html>
        """;

    static readonly Lazy<byte[]> Script = new(() =>
    {
        const string name = "ScalarStaticAssets.scalar.js";
        using var resource = typeof(ScalarOptions).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException(
                $"The package Scalar.AspNetCore has no resource {name} any more; look for the script's new name.");
        using var bytes = new MemoryStream();
        resource.CopyTo(bytes);
        return bytes.ToArray();
    });

    [Function("Docs")]
    [Describes("Show this description on a page.", ContentType = "text/html")]
    public static IActionResult Show([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "docs")] HttpRequest request)
    {
        var headers = request.HttpContext.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        return new ContentResult { ContentType = "text/html; charset=utf-8", Content = Page };
    }

    /// <summary>The script is packed with gzip, which every browser takes.</summary>
    [Function("DocsScript")]
    [Describes("Give the script of that page.", ContentType = "text/javascript")]
    public static IActionResult GiveScript(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "docs/scalar.js")] HttpRequest request)
    {
        var headers = request.HttpContext.Response.Headers;
        headers.CacheControl = "public, max-age=86400";
        headers.Vary = "Accept-Encoding";
        headers.XContentTypeOptions = "nosniff";
        if (Accept.TakesGzip(request))
        {
            headers.ContentEncoding = "gzip";
            return new FileContentResult(Script.Value, "text/javascript");
        }
        return new FileStreamResult(new GZipStream(new MemoryStream(Script.Value), CompressionMode.Decompress),
            "text/javascript");
    }
}
