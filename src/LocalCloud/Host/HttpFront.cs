using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using VaeFunctions.LocalCloud.Host.Rpc;
using Yarp.ReverseProxy.Forwarder;

namespace VaeFunctions.LocalCloud.Host;

/// <summary>The functions' routes. Each request is an invocation, and is forwarded to the worker's own web server, which answers
/// it.</summary>
sealed class HttpFront(WorkerPool workers, IHttpForwarder forwarder, ILogger<HttpFront> logger) : IDisposable
{
    /// <summary>By which a worker finds the invocation that a request belongs to.</summary>
    public const string InvocationHeader = "x-ms-invocation-id";

    static readonly ForwarderRequestConfig limits = new() { ActivityTimeout = TimeSpan.FromSeconds(240) };

    readonly List<string> routes = [];
    readonly HttpMessageInvoker client = new(new RetriedConnection(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        ActivityHeadersPropagator = null,
    }));

    /// <summary>Serves the functions that HTTP sets off; whatever else is asked for is answered with problem details that list
    /// them.</summary>
    public void Map(WebApplication app, string prefix, IEnumerable<HostedFunction> functions)
    {
        app.UseStatusCodePages(ExplainAsync);
        // Whoever opens the address alone is led to the page for people.
        foreach (var root in (string[])["/", $"/{prefix}"])
            app.MapMethods(root, [HttpMethods.Get, HttpMethods.Head], http => LeadAsync(http, $"/{prefix}"));
        foreach (var function in functions.Where(function => function.IsHttp))
        {
            var route =
                $"/{prefix}/{(string?)function.Trigger["route"] ?? function.Name}".Replace("//", "/", StringComparison.Ordinal);
            string[] methods =
                [.. (function.Trigger["methods"]?.ToObject<string[]>() ?? []).Select(method => method.ToUpperInvariant())];
            RequestDelegate answer = http => AnswerAsync(function, http);
            if (methods is [])
                app.Map(route, answer);
            else
                app.MapMethods(route, methods, answer);
            routes.Add($"{(methods is [] ? "any" : string.Join(",", methods))} {route}");
        }
    }

    static Task LeadAsync(HttpContext http, string functions)
    {
        http.Response.Redirect($"{functions}/explorer");
        http.Response.ContentType = "text/plain; charset=utf-8";
        return http.Response.WriteAsync(
            $"The explorer is at {functions}/explorer, the description of all functions at {functions}/docs, "
            + $"and how the server is at {functions}/health/ready.\n");
    }

    public void Dispose() => client.Dispose();

    async Task AnswerAsync(HostedFunction function, HttpContext http)
    {
        try
        {
            await InvokeAsync(function, http, await workers.ReadyAsync(http.RequestAborted));
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            logger.LogDebug("{Function}: the caller went away", function.Name);
        }
        catch (OperationCanceledException) // what could not be forwarded is not worked on
        {
            await FailAsync(http, http.Response.StatusCode is >= 400 and var status ? status : StatusCodes.Status502BadGateway,
                "The request did not reach the functions whole, or they took too long; try again. The host's log says why.");
        }
        catch (WorkerLostException fault)
        {
            logger.LogWarning("{Function}: {Reason}", function.Name, fault.Message);
            await FailAsync(http, StatusCodes.Status503ServiceUnavailable,
                "The process that worked on the request ended. Another is being started; try again in a few seconds.");
        }
        catch (LocalCloudException fault)
        {
            logger.LogWarning("{Function}: {Reason}", function.Name, fault.Message);
            await FailAsync(http, StatusCodes.Status503ServiceUnavailable, fault.Message);
        }
        catch (FunctionFailedException fault)
        {
            logger.LogError(fault, "{Function} failed", function.Name);
            await FailAsync(
                http, StatusCodes.Status500InternalServerError, $"The function {function.Name} failed; the host's log says why.");
        }
    }

    /// <summary>What tells a worker of a request. The request itself goes by HTTP, with the invocation's id in the header
    /// <see cref="InvocationHeader"/>; its route's values are the function's parameters.</summary>
    public static InvocationRequest Invocation(
        HostedFunction function, WorkerSession worker, IEnumerable<KeyValuePair<string, object?>> routeValues)
    {
        var request =
            new InvocationRequest { InvocationId = Guid.NewGuid().ToString(), FunctionId = function.Metadata.FunctionId };
        var call = new RpcHttp();
        foreach (var (name, value) in routeValues)
        {
            if (value?.ToString() is not { } text)
                continue;
            if (worker.TakesRouteParameters)
                call.NullableParams[name] = new() { Value = text };
            request.TriggerMetadata[name] = new() { String = text };
        }
        request.InputData.Add(new ParameterBinding { Name = function.TriggerName, Data = new() { Http = call } });
        return request;
    }

    async Task InvokeAsync(HostedFunction function, HttpContext http, WorkerSession worker)
    {
        var request = Invocation(function, worker, http.Request.RouteValues);
        http.Request.Headers[InvocationHeader] = request.InvocationId;

        using var abandoned = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        var forwarding = ForwardAsync(http, worker, abandoned);
        try
        {
            await worker.InvokeAsync(request, abandoned.Token);
        }
        finally
        {
            await forwarding;
        }
    }

    /// <summary>Forwards a request. Where that fails, the function need not go on.</summary>
    async Task ForwardAsync(HttpContext http, WorkerSession worker, CancellationTokenSource abandoned)
    {
        if (await forwarder.SendAsync(http, worker.HttpAddress, client, limits) is ForwarderError.None)
            return;
        if (!http.RequestAborted.IsCancellationRequested)
            logger.LogWarning(
                "A request could not be forwarded to the worker: {Reason}", http.GetForwarderErrorFeature()?.Exception?.Message);
        await abandoned.CancelAsync();
    }

    static async Task FailAsync(HttpContext http, int status, string detail)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }
        http.Response.Clear();
        if (status == StatusCodes.Status503ServiceUnavailable)
            http.Response.Headers.RetryAfter = "5";
        await Results.Problem(detail, http.Request.Path, status).ExecuteAsync(http);
    }

    /// <summary>Explains what routing refuses. What functions answer has a body, or a status that needs none.</summary>
    async Task ExplainAsync(StatusCodeContext context)
    {
        var http = context.HttpContext;
        if (http.GetEndpoint() is RouteEndpoint)
            return;
        var detail = http.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => $"Nothing is at {http.Request.Path}. There are: {string.Join("; ", routes)}.",
            StatusCodes.Status405MethodNotAllowed =>
                $"{http.Request.Path} does not take {http.Request.Method}, only {http.Response.Headers.Allow}.",
            _ => null,
        };
        await Results.Problem(detail, statusCode: http.Response.StatusCode).ExecuteAsync(http);
    }

    /// <summary>A worker names its address before it listens there, so a refused connection is tried again, as Azure's host
    /// does.</summary>
    sealed class RetriedConnection(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        const int Tries = 10;

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    return await base.SendAsync(request, cancellationToken);
                }
                catch (HttpRequestException fault) when (fault.HttpRequestError is HttpRequestError.ConnectionError
                    && attempt < Tries)
                {
                    await Task.Delay(25 * attempt, cancellationToken);
                }
            }
        }
    }
}
