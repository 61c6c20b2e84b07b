using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.OpenApi;

namespace VaeFunctions.Serving;

/// <summary>Describes the HTTP functions for programs.</summary>
public static class OpenApiFunction
{
    static readonly Lazy<Task<string>> Document = new(() =>
        ApiDescription.Of(typeof(OpenApiFunction).Assembly).SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1));

    [Function("OpenApi")]
    [Describes("Describe the HTTP functions.")]
    public static async Task<IActionResult> Run(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "openapi.json")] HttpRequest request) =>
        new ContentResult { ContentType = "application/json", Content = await Document.Value };
}
