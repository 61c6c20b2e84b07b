using System.Runtime.ExceptionServices;
using Microsoft.Azure.WebJobs.Host.Timers;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace VaeFunctions.LocalCloud.Host;

/// <summary>Logs what listeners could not handle. The SDK's own handler would end the process, HTTP and workers with
/// it.</summary>
sealed class ListenerFaults(ILogger<ListenerFaults> logger) : IWebJobsExceptionHandler, IWebJobsExceptionHandlerFactory
{
    public IWebJobsExceptionHandler Create(IHost jobHost) => this;

    public Task OnTimeoutExceptionAsync(ExceptionDispatchInfo exceptionInfo, TimeSpan timeoutGracePeriod) =>
        OnUnhandledExceptionAsync(exceptionInfo);

    public Task OnUnhandledExceptionAsync(ExceptionDispatchInfo exceptionInfo)
    {
        logger.LogError("A listener failed: {Reason}", exceptionInfo.SourceException.Message.Split('\n')[0]);
        return Task.CompletedTask;
    }
}
