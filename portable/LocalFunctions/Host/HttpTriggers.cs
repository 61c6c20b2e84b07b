using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Logging;

namespace VaeFunctions.LocalFunctions;

/// <summary>Serves HTTP functions at their routes; whatever matches none is answered with problem details that list them.</summary>
sealed class HttpTriggers(FunctionPipeline pipeline, ILogger logger)
{
    readonly List<string> routes = [];

    /// <summary>One line a function: its name, methods and route.</summary>
    public IReadOnlyList<string> Routes => routes;

    public void Map(WebApplication app, IEnumerable<FunctionMethod> functions, string prefix)
    {
        app.UseStatusCodePages(ExplainAsync);
        foreach (var function in functions)
        {
            if (function.Trigger is not HttpTriggerAttribute trigger)
                continue;
            var route = $"{prefix.Trim('/')}/{trigger.Route ?? function.Name}".Trim('/');
            Map(app, function, route, trigger.Methods);
            routes.Add($"{string.Join(",", trigger.Methods ?? ["any"]).ToUpperInvariant()} /{route}");
        }
    }

    void Map(WebApplication app, FunctionMethod function, string route, string[]? methods)
    {
        RequestDelegate answer = http => AnswerAsync(function, http);
        try
        {
            if (methods is null)
                app.Map(route, answer);
            else
                app.MapMethods(route, methods.Select(method => method.ToUpperInvariant()), answer);
        }
        catch (RoutePatternException fault)
        {
            throw new HostSetupException($"Function {function.Name}: its route \"{route}\" is no route: {fault.Message}", fault);
        }
    }

    async Task AnswerAsync(FunctionMethod function, HttpContext http)
    {
        try
        {
            var data = http.Request.RouteValues.ToDictionary(StringComparer.OrdinalIgnoreCase);
            var result = await pipeline.RunAsync(function, http.Request, data, http.RequestServices, http, http.RequestAborted);
            await WriteAsync(result, http);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            logger.LogDebug("{Function}: the caller went away", function.Name);
        }
        catch (Exception fault) when (!http.Response.HasStarted)
        {
            logger.LogError(fault, "{Function} failed", function.Name);
            await Results.Problem($"The function {function.Name} failed; its log says why.", statusCode: 500).ExecuteAsync(http);
        }
    }

    static Task WriteAsync(object? result, HttpContext http) => result switch
    {
        IActionResult action => action.ExecuteResultAsync(new ActionContext(http, http.GetRouteData(), new ActionDescriptor())),
        IResult plain => plain.ExecuteAsync(http),
        null => Task.CompletedTask,
        _ => http.Response.WriteAsJsonAsync(result, result.GetType()),
    };

    async Task ExplainAsync(StatusCodeContext context)
    {
        var http = context.HttpContext;
        var detail = http.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => $"Nothing is at {http.Request.Path}. There are: {string.Join("; ", routes)}.",
            StatusCodes.Status405MethodNotAllowed => $"{http.Request.Path} does not take {http.Request.Method}, only {http.Response.Headers.Allow}.",
            _ => null,
        };
        await Results.Problem(detail, statusCode: http.Response.StatusCode).ExecuteAsync(http);
    }
}
