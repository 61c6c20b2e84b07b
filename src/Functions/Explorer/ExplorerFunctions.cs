using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;

namespace VaeFunctions.Serving;

/// <summary>The page on which people play with a latent space, and its scripts. It asks for models as any other client, so that
/// it needs no key itself; it loads nothing from any other host, and its policy would not let it.</summary>
public static class ExplorerFunctions
{
    /// <summary>Scripts come from here only, WebAssembly included. A worker is held to what its own script's answer
    /// says.</summary>
    public const string Policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
        + "img-src 'self' blob: data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'";

    const string Page = "index.html";

    static readonly string scripts = string.Join(", ", PageFiles.All.Keys
        .Where(name => name.EndsWith(".js", StringComparison.Ordinal) && name != "engine.js") // that is a worker's
        .Select(name => $"<explorer/{name}>; rel=modulepreload"));

    [Function("Explorer")]
    [Describes("Show a page to play with the models' latent spaces.", ContentType = "text/html")]
    public static IActionResult Show([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "explorer")] HttpRequest request)
    {
        // The page's addresses are relative to the folder that it seems to lie in.
        if (request.Path.Value!.EndsWith('/'))
            return new LocalRedirectResult($"{request.PathBase}{request.Path.Value.TrimEnd('/')}{request.QueryString}");
        // All scripts are asked for at once, and not each when another names it.
        request.HttpContext.Response.Headers.Link = scripts;
        return Give(request, Page);
    }

    [Function("ExplorerFile")]
    [Describes("Give a script, style or picture of that page.", ContentType = "text/javascript")]
    public static IActionResult GiveFile(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "explorer/{file}")] HttpRequest request, string file) =>
        file != Page && PageFiles.All.ContainsKey(file) ? Give(request, file)
            : throw new RequestException(StatusCodes.Status404NotFound, $"The page has no file {RequestContent.Shortened(file)}; "
                + $"it has {string.Join(", ", PageFiles.All.Keys.Where(name => name != Page))}.");

    static IActionResult Give(HttpRequest request, string name)
    {
        var file = PageFiles.All[name];
        var headers = request.HttpContext.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        // The browser asks each time whether a file is still the same, and is told so in a few bytes.
        headers.CacheControl = "no-cache";
        headers.Vary = "Accept-Encoding";
        headers.ETag = file.Tag.ToString();
        if (request.GetTypedHeaders().IfNoneMatch.Any(given => given.Compare(file.Tag, useStrongComparison: false)))
            return new StatusCodeResult(StatusCodes.Status304NotModified);
        if (!Accept.TakesGzip(request))
            return new FileStreamResult(file.Open(), file.Type);
        headers.ContentEncoding = "gzip";
        return new FileContentResult(file.Packed, file.Type);
    }
}
