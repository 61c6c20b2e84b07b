using System.Text.Json;
using Azure;
using Azure.Storage.Queues;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>The queue on which slices of bulk jobs wait for a function process to take them.</summary>
/// <param name="queues">Gives the storage's queues, or throws a <see cref="StorageException"/> where it has none.</param>
public sealed class JobQueue(Func<QueueServiceClient> queues)
{
    public const string Name = "vae-jobs", Poison = "vae-jobs-poison";

    static readonly JsonSerializerOptions strict =
        new(JsonSerializerDefaults.Web) { RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    /// <exception cref="RequestException">409: the storage has no queues.</exception>
    public void Demand() => _ = Queue;

    /// <summary>Marks a job as open, creates it, and sends the message that begins it. Whoever finds the job finds it marked, so
    /// that its message is sent again, should it be lost or never sent.</summary>
    /// <param name="after">How long nobody sees the message.</param>
    /// <exception cref="StorageException">The storage does not answer.</exception>
    public async Task StartAsync(Job job, JobStore jobs, CancellationToken cancellation, TimeSpan after = default)
    {
        await jobs.MarkStartingAsync(job, cancellation);
        await jobs.CreateAsync(job, cancellation);
        await ExplainedAsync(() => Queue.CreateIfNotExistsAsync(cancellationToken: cancellation));
        await SendAsync(new(job.Model, job.Id), cancellation, after);
    }

    /// <param name="after">How long nobody sees it.</param>
    /// <exception cref="StorageException">The storage does not answer.</exception>
    public Task SendAsync(JobMessage message, CancellationToken cancellation, TimeSpan after = default) =>
        ExplainedAsync(() => Queue.SendMessageAsync(JsonSerializer.Serialize(message, JsonSerializerOptions.Web),
            visibilityTimeout: after, timeToLive: TimeSpan.FromSeconds(-1), cancellationToken: cancellation));

    static async Task ExplainedAsync(Func<Task> ask)
    {
        try
        {
            await ask();
        }
        catch (Exception fault) when (fault is RequestFailedException or AggregateException)
        {
            throw new StorageException($"The job queue does not answer: {fault.Message.Split('\n')[0]}", fault);
        }
    }

    /// <summary>Whether no message is there, none that somebody works on just now, and none that failed too often.</summary>
    /// <exception cref="StorageException">The storage cannot be reached.</exception>
    public async Task<bool> IsEmptyAsync(CancellationToken cancellation) =>
        // The count may be too high, never too low.
        !await AnyAsync(async queue => (await queue.GetPropertiesAsync(cancellation)).Value.ApproximateMessagesCount > 0,
            cancellation);

    /// <summary>Whether a message waits for somebody to take it.</summary>
    /// <exception cref="StorageException">The storage cannot be reached.</exception>
    public Task<bool> HasVisibleAsync(CancellationToken cancellation) =>
        AnyAsync(async queue => (await queue.PeekMessageAsync(cancellation)).Value is not null, cancellation);

    /// <summary>Whether something holds of the queue or of that of the messages that failed too often.</summary>
    async Task<bool> AnyAsync(Func<QueueClient, Task<bool>> holds, CancellationToken cancellation)
    {
        try
        {
            // Messages move from the first queue to the second; looked at in this order, one that moves meanwhile is still seen.
            foreach (var name in (string[])[Name, Poison])
            {
                var queue = Service.GetQueueClient(name);
                // Somebody may have deleted the queue together with its messages.
                await queue.CreateIfNotExistsAsync(cancellationToken: cancellation);
                if (await holds(queue))
                    return true;
            }
            return false;
        }
        catch (RequestFailedException fault)
        {
            throw new StorageException($"The job queue cannot be looked at: {fault.Message.Split('\n')[0]}", fault);
        }
    }

    /// <exception cref="InvalidDataException">It is not a message of ours.</exception>
    public static JobMessage Read(string message)
    {
        try
        {
            return JsonSerializer.Deserialize<JobMessage>(message, strict)
                ?? throw new InvalidDataException("A message of the job queue is null.");
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"A message of the job queue cannot be read: {fault.Message}", fault);
        }
    }

    QueueClient Queue => Service.GetQueueClient(Name);

    QueueServiceClient Service
    {
        get
        {
            try
            {
                return queues();
            }
            catch (StorageException none)
            {
                throw new RequestException(StatusCodes.Status409Conflict,
                    $"Bulk jobs need a storage account with queues. {none.Message}", none);
            }
        }
    }
}
