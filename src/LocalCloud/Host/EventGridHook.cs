#pragma warning disable CS0618 // Marked "not ready for public consumption": the seams that Azure's own host uses.
using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.WebJobs;
using Microsoft.Azure.WebJobs.Description;
using Microsoft.Azure.WebJobs.Host.Config;

namespace VaeFunctions.LocalCloud.Host;

/// <summary>/runtime/webhooks/NAME, where the SDK's extensions take requests of their own: the blob extension those of Event
/// Grid.</summary>
sealed class EventGridHook : IWebHookProvider
{
    public const string Route = "/runtime/webhooks/{extension}";

    readonly Dictionary<string, IAsyncConverter<HttpRequestMessage, HttpResponseMessage>> handlers =
        new(StringComparer.OrdinalIgnoreCase);

    /// <remarks>An extension asks for its address when it is set up, and that is when this learns of it.</remarks>
    public Uri GetUrl(IExtensionConfigProvider extension)
    {
        var name = extension.GetType().GetCustomAttribute<ExtensionAttribute>()?.ConfigurationSection ?? extension.GetType().Name;
        handlers[name] = (IAsyncConverter<HttpRequestMessage, HttpResponseMessage>)extension;
        return new($"http://localhost/runtime/webhooks/{name}");
    }

    public async Task HandleAsync(HttpContext http)
    {
        if (!handlers.TryGetValue((string)http.Request.RouteValues["extension"]!, out var handler))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        using var request =
            new HttpRequestMessage(new(http.Request.Method), $"http://localhost{http.Request.Path}{http.Request.QueryString}");
        request.Content = new StreamContent(http.Request.Body);
        foreach (var (name, values) in http.Request.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, values.ToArray()))
                request.Content.Headers.TryAddWithoutValidation(name, values.ToArray());
        }
        using var response = await handler.ConvertAsync(request, http.RequestAborted);
        http.Response.StatusCode = (int)response.StatusCode;
        http.Response.ContentType = response.Content.Headers.ContentType?.ToString();
        await response.Content.CopyToAsync(http.Response.Body, http.RequestAborted);
    }
}
