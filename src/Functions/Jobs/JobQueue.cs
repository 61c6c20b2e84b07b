using System.Text.Json;
using Azure;
using Azure.Identity;
using Azure.Storage.Queues;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>The queue on which slices of bulk jobs wait for a function process to take them.</summary>
public sealed class JobQueue(IConfiguration configuration)
{
    public const string Name = "vae-jobs", Poison = "vae-jobs-poison";

    static readonly JsonSerializerOptions strict = new(JsonSerializerDefaults.Web) { RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    readonly Lazy<QueueServiceClient?> service = new(() => Connect(configuration));

    /// <exception cref="RequestException">409: the storage has no queues.</exception>
    public void Demand() => _ = Queue;

    public async Task CreateAsync(CancellationToken cancellation) => await Queue.CreateIfNotExistsAsync(cancellationToken: cancellation);

    public async Task SendAsync(JobMessage message, CancellationToken cancellation) =>
        await Queue.SendMessageAsync(JsonSerializer.Serialize(message, JsonSerializerOptions.Web), timeToLive: TimeSpan.FromSeconds(-1), cancellationToken: cancellation);

    /// <summary>Whether no message is there, none that somebody works on just now, and none that failed too often.</summary>
    /// <exception cref="StorageException">The storage cannot be reached.</exception>
    public async Task<bool> IsEmptyAsync(CancellationToken cancellation)
    {
        try
        {
            Demand();
            foreach (var name in (string[])[Name, Poison]) // as a message goes
            {
                var queue = service.Value!.GetQueueClient(name);
                await queue.CreateIfNotExistsAsync(cancellationToken: cancellation); // it may have been deleted, with what was in it
                if ((await queue.GetPropertiesAsync(cancellation)).Value.ApproximateMessagesCount > 0) // never too low
                    return false;
            }
            return true;
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
            return JsonSerializer.Deserialize<JobMessage>(message, strict) ?? throw new InvalidDataException("A message of the job queue is null.");
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"A message of the job queue cannot be read: {fault.Message}", fault);
        }
    }

    QueueClient Queue => service.Value?.GetQueueClient(Name) ?? throw new RequestException(StatusCodes.Status409Conflict,
        $"Bulk jobs need a storage account with queues, which {BlobStores.Setting} does not name here: give it a connection string with a QueueEndpoint, or set {BlobStores.Setting}__queueServiceUri.");

    static QueueServiceClient? Connect(IConfiguration configuration)
    {
        // As the Functions host writes and reads them.
        var options = new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 };
        try
        {
            return configuration[BlobStores.Setting] is { Length: > 0 } connection ? new(connection, options)
                : configuration[$"{BlobStores.Setting}:queueServiceUri"] is { Length: > 0 } address ? new(new Uri(address), new DefaultAzureCredential(), options)
                : null;
        }
        catch (Exception fault) when (fault is FormatException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }
}
