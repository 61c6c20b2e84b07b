using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace VaeFunctions.LocalFunctions;

/// <summary>Runs a function at the times of its schedule, in UTC, never twice at once.</summary>
sealed class TimerTrigger(FunctionMethod function, Ncrontab schedule, FunctionPipeline pipeline, IServiceProvider services, ILogger logger)
{
    /// <exception cref="HostSetupException">The schedule is none.</exception>
    public static TimerTrigger Create(FunctionMethod function, FunctionPipeline pipeline, IServiceProvider services, ILogger logger)
    {
        try
        {
            var text = function.Expand(((TimerTriggerAttribute)function.Trigger).Schedule, services.GetRequiredService<IConfiguration>());
            return new TimerTrigger(function, new Ncrontab(text), pipeline, services, logger);
        }
        catch (FormatException fault)
        {
            throw new HostSetupException($"Function {function.Name}: {fault.Message}", fault);
        }
    }

    public async Task RunAsync(CancellationToken stopping, CancellationToken aborting)
    {
        var last = DateTime.UtcNow;
        if (((TimerTriggerAttribute)function.Trigger).RunOnStartup)
            await InvokeAsync(last, aborting);
        while (!stopping.IsCancellationRequested && schedule.Next(last) is { } next)
        {
            // At most a day at a time: a delay has a largest length, and clocks are set.
            while (next - DateTime.UtcNow is { Ticks: > 0 } left && !stopping.IsCancellationRequested)
                await Task.Delay(left < TimeSpan.FromDays(1) ? left : TimeSpan.FromDays(1), stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested)
                return;
            await InvokeAsync(last, aborting);
            last = DateTime.UtcNow;
        }
    }

    async Task InvokeAsync(DateTime last, CancellationToken aborting)
    {
        try
        {
            await using var scope = services.CreateAsyncScope();
            var now = DateTime.UtcNow;
            var info = new TimerInfo { ScheduleStatus = new ScheduleStatus { Last = last, Next = schedule.Next(now) ?? default, LastUpdated = now } };
            await pipeline.RunAsync(function, info, new Dictionary<string, object?>(), scope.ServiceProvider, null, aborting);
        }
        catch (Exception fault)
        {
            logger.LogError(fault, "{Function} failed", function.Name);
        }
    }
}
