using Azure.Identity;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace VaeFunctions.LocalFunctions;

/// <summary>Takes messages from a storage queue and runs a function for each. Any number of hosts may share a queue.</summary>
/// <remarks>A message is leased and the lease renewed while the function runs, so that one whose host dies comes back. It is deleted
/// when the function has ended well; when it fails too often, it goes to QUEUE-poison.</remarks>
sealed class QueueTrigger(FunctionMethod function, QueueClient queue, QueueClient poison, FunctionPipeline pipeline,
    IServiceProvider services, QueueSettings settings, ILogger logger)
{
    static readonly TimeSpan Lease = TimeSpan.FromSeconds(15), Soon = TimeSpan.FromMilliseconds(100), LongestIdle = TimeSpan.FromSeconds(1), Longest = TimeSpan.FromSeconds(30);

    public string Name => queue.Name;

    /// <summary>The trigger, or null where the storage has no queues, which is said once.</summary>
    /// <exception cref="HostSetupException">The parameter or connection cannot work.</exception>
    public static QueueTrigger? Create(FunctionMethod function, FunctionPipeline pipeline, IServiceProvider services, QueueSettings settings, ILogger logger)
    {
        var attribute = (QueueTriggerAttribute)function.Trigger;
        if (function.TriggerParameter.ParameterType != typeof(string))
            throw new HostSetupException($"Function {function.Name}: a message cannot be given as {function.TriggerParameter.ParameterType.Name}; it can be string.");
        var configuration = services.GetRequiredService<IConfiguration>();
        if (Connect(attribute.Connection ?? "AzureWebJobsStorage", configuration) is not { } service)
        {
            logger.LogWarning("{Function}: the setting {Setting} names no queues (QueueEndpoint, or __queueServiceUri); queue {Queue} is not watched",
                function.Name, attribute.Connection, attribute.QueueName);
            return null;
        }
        var name = function.Expand(attribute.QueueName, configuration);
        return new(function, service.GetQueueClient(name), service.GetQueueClient($"{name}-poison"), pipeline, services, settings, logger);
    }

    /// <summary>Polls until <paramref name="stopping"/>; what then runs may end until <paramref name="aborting"/>.</summary>
    public async Task RunAsync(CancellationToken stopping, CancellationToken aborting)
    {
        using var slots = new SemaphoreSlim(settings.BatchSize);
        var idle = settings.MaxPollingInterval < LongestIdle ? settings.MaxPollingInterval : LongestIdle;
        var (created, faults, wait) = (false, 0, Soon);
        while (!stopping.IsCancellationRequested)
        {
            var free = 0;
            try
            {
                if (!created)
                    await queue.CreateIfNotExistsAsync(cancellationToken: stopping);
                created = true;
                await slots.WaitAsync(stopping);
                for (free = 1; free < settings.BatchSize && slots.Wait(0, CancellationToken.None);) free++;
                QueueMessage[] messages = await queue.ReceiveMessagesAsync(free, Lease, stopping);
                foreach (var message in messages)
                {
                    free--;
                    _ = Task.Run(() => ProcessAsync(message, aborting), CancellationToken.None).ContinueWith(_ => slots.Release(), TaskScheduler.Default);
                }
                wait = messages is [] ? TimeSpan.FromTicks(Math.Min(2 * wait.Ticks, idle.Ticks)) : TimeSpan.Zero;
                faults = 0;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
            }
            catch (Exception fault)
            {
                wait = TimeSpan.FromSeconds(Math.Min(Math.Pow(2, faults++), Longest.TotalSeconds));
                created = false; // the queue may have been deleted
                logger.LogWarning("{Function}: the queue at {Address} fails, trying again in {Seconds} s: {Reason}", function.Name, queue.Uri, wait.TotalSeconds, fault.Message.Split('\n')[0]);
            }
            if (free > 0) slots.Release(free);
            await Task.Delay(wait, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (wait == TimeSpan.Zero) wait = Soon;
        }
        for (var i = 0; i < settings.BatchSize; i++) await slots.WaitAsync(CancellationToken.None); // until the last has ended
    }

    async Task ProcessAsync(QueueMessage message, CancellationToken aborting)
    {
        var receipt = message.PopReceipt;
        try
        {
            var work = InvokeAsync(message, aborting);
            while (await Task.WhenAny(work, Task.Delay(Lease / 3, aborting)) != work && !aborting.IsCancellationRequested)
                receipt = await RenewAsync(message, receipt, aborting);
            await work;
        }
        catch (Exception fault)
        {
            await SetAsideAsync(message, receipt, fault, aborting.IsCancellationRequested);
            return;
        }
        await StorageAsync("will be worked off again", () => queue.DeleteMessageAsync(message.MessageId, receipt, CancellationToken.None));
    }

    /// <summary>Leases a message anew. Where that fails the work goes on: at worst another host does it a second time.</summary>
    async Task<string> RenewAsync(QueueMessage message, string receipt, CancellationToken aborting)
    {
        await StorageAsync("may come a second time", async () =>
            receipt = (await queue.UpdateMessageAsync(message.MessageId, receipt, visibilityTimeout: Lease, cancellationToken: aborting)).Value.PopReceipt);
        return receipt;
    }

    async Task InvokeAsync(QueueMessage message, CancellationToken aborting)
    {
        await using var scope = services.CreateAsyncScope();
        var data = new Dictionary<string, object?> { ["DequeueCount"] = message.DequeueCount, ["Id"] = message.MessageId };
        await pipeline.RunAsync(function, message.Body.ToString(), data, scope.ServiceProvider, null, aborting);
    }

    /// <summary>Gives a message back for another try, or lays it into the poison queue.</summary>
    async Task SetAsideAsync(QueueMessage message, string receipt, Exception fault, bool stopped)
    {
        if (stopped || message.DequeueCount < settings.MaxDequeueCount)
        {
            if (!stopped)
                logger.LogWarning(fault, "{Function} failed for a message, try {Try} of {Tries}", function.Name, message.DequeueCount, settings.MaxDequeueCount);
            await StorageAsync("returns by itself", () =>
                queue.UpdateMessageAsync(message.MessageId, receipt, visibilityTimeout: stopped ? TimeSpan.Zero : settings.VisibilityTimeout));
            return;
        }
        logger.LogError(fault, "{Function} failed for a message {Tries} times and gives up; see queue {Queue}", function.Name, message.DequeueCount, poison.Name);
        await StorageAsync("returns by itself", async () =>
        {
            await poison.CreateIfNotExistsAsync();
            await poison.SendMessageAsync(message.Body);
            await queue.DeleteMessageAsync(message.MessageId, receipt);
        });
    }

    /// <summary>Tells the storage something of a message; where that fails, says what follows.</summary>
    async Task StorageAsync(string otherwise, Func<Task> tell)
    {
        try
        {
            await tell();
        }
        catch (Exception fault)
        {
            logger.LogWarning("{Function}: the storage could not be told of a message, which {Otherwise}: {Reason}", function.Name, otherwise, fault.Message.Split('\n')[0]);
        }
    }

    static QueueServiceClient? Connect(string setting, IConfiguration configuration)
    {
        // The Functions host's convention.
        var options = new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 };
        try
        {
            return configuration[setting] is { Length: > 0 } connection ? new(connection, options)
                : configuration[$"{setting}:queueServiceUri"] is { Length: > 0 } address ? new(new Uri(address), new DefaultAzureCredential(), options)
                : null;
        }
        catch (Exception fault) when (fault is FormatException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }
}
