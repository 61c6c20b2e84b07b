using System.Diagnostics;
using Azure;
using Azure.Identity;
using Microsoft.AspNetCore.Mvc.Infrastructure;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Limits the body of every request, and answers every exception of an HTTP function with problem details (RFC 9457).
/// 5xx are logged, once, with their cause.</summary>
sealed class ProblemMiddleware(ServingMetrics metrics, IOptions<ServingOptions> options, ILogger<ProblemMiddleware> logger)
    : IFunctionsWorkerMiddleware
{
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (context.GetHttpContext() is not { } http)
        {
            await next(context);
            return;
        }
        var started = Stopwatch.GetTimestamp();
        using var activity = ServingMetrics.Traces.StartActivity(context.FunctionDefinition.Name);
        string? refusal = null;
        try
        {
            LimitedBody.Limit(http.Request, options.Value.MaxBodyBytes);
            await next(context);
        }
        catch (Exception fault) when (!http.RequestAborted.IsCancellationRequested)
        {
            (var status, var detail, refusal) = Describe(fault);
            if (status >= 500 && fault is not OverloadedException)
                logger.LogError(fault, "{Function} answers {Status} to {Method} {Path}", context.FunctionDefinition.Name, status,
                    http.Request.Method, http.Request.Path);
            if (status == StatusCodes.Status503ServiceUnavailable)
                http.Response.Headers.RetryAfter = fault is OverloadedException ? "1" : "5";
            var problem = new Problem(status, ReasonPhrases.GetReasonPhrase(status), detail, http.Request.Path);
            context.GetInvocationResult().Value = Answers.Json(problem, status, "application/problem+json");
        }
        var answered = (context.GetInvocationResult().Value as IStatusCodeActionResult)?.StatusCode ?? StatusCodes.Status200OK;
        var model = http.Response.Headers["X-Model"].ToString(); // only names that exist, so that strangers cannot make up series
        activity?.SetTag("vae.model", model).SetTag("http.response.status_code", answered);
        metrics.Answered(context.FunctionDefinition.Name, model, answered, Stopwatch.GetElapsedTime(started), refusal);
    }

    static (int Status, string Detail, string Reason) Describe(Exception fault) => fault switch
    {
        RequestException request => (request.Status, request.Message, Reason(request.Status)),
        ImageFormatException image => (StatusCodes.Status400BadRequest, image.Message, "not an image"),
        BadHttpRequestException request => (request.StatusCode, request.Message, Reason(request.StatusCode)),
        ModelUnavailableException model => (StatusCodes.Status503ServiceUnavailable, model.Message, "model unusable"),
        OverloadedException full => (StatusCodes.Status503ServiceUnavailable, full.Message, "queue full"),
        RegistryException registry => (StatusCodes.Status503ServiceUnavailable, registry.Message, "registry damaged"),
        StorageException or RequestFailedException or AuthenticationFailedException =>
            (StatusCodes.Status503ServiceUnavailable,
                "The storage does not answer as it should; try again in a few seconds. The server's log has the cause.",
                "storage down"),
        _ => (StatusCodes.Status500InternalServerError,
        "The server failed; its log has the cause. The request itself may be right.", "fault"),
    };

    static string Reason(int status) => ReasonPhrases.GetReasonPhrase(status).ToLowerInvariant();
}
