using System.Diagnostics;
using System.Net.Http.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Microsoft.Extensions.Logging;

namespace VaeFunctions.LocalCloud.Host;

/// <summary>What Event Grid does on Azure: posts a BlobCreated event to the host for every new content of a blob in a container.</summary>
/// <remarks>An event that the host has taken is a message of its queue, which outlives the host. What was told of is recorded beside the SDK's own blobs, so that it
/// is not told again after a restart; what came while no host ran is. A host that is killed between the two tells once more, as Event Grid may.</remarks>
sealed class BlobEvents(BlobServiceClient storage, string container, string function, Uri host, ILogger logger) : IDisposable
{
    /// <summary>Events that go into one request.</summary>
    const int Batch = 100;

    const string RecordContainer = "azure-webjobs-hosts";

    static readonly TimeSpan shortest = TimeSpan.FromMilliseconds(100), longest = TimeSpan.FromSeconds(1), pause = TimeSpan.FromSeconds(5);

    readonly HttpClient http = new() { BaseAddress = host, DefaultRequestHeaders = { { "aeg-event-type", "Notification" } } };
    Dictionary<string, ETag>? told;

    AppendBlobClient Record => storage.GetBlobContainerClient(RecordContainer).GetAppendBlobClient($"told/{HostId.Value}/{function}");

    /// <summary>Tells a host of the blobs that set a function off, until it is to stop.</summary>
    public static async Task RunAsync(BlobServiceClient storage, HostedFunction function, Uri host, ILoggerFactory logs, CancellationToken stopping)
    {
        var container = ((string)function.Trigger["path"]!).Split('/')[0];
        using var events = new BlobEvents(storage, container, function.Name, host, logs.CreateLogger("Host.BlobEvents"));
        await events.RunAsync(stopping);
    }

    async Task RunAsync(CancellationToken stopping)
    {
        for (var wait = shortest; !stopping.IsCancellationRequested; await Task.Delay(wait, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing))
        {
            var clock = Stopwatch.StartNew();
            try
            {
                told ??= await RememberedAsync(stopping);
                // An idle container is looked at less often, and a long listing is not made more than a third of the time.
                wait = await LookAsync(told, stopping) ? shortest : Between(2 * wait, longest);
                wait = 2 * clock.Elapsed > wait ? 2 * clock.Elapsed : wait;
            }
            catch (Exception fault) when (fault is RequestFailedException or AggregateException or HttpRequestException && !stopping.IsCancellationRequested)
            {
                logger.LogWarning("New blobs of {Container} cannot be looked for, trying again in {Seconds} s: {Reason}",
                    container, pause.TotalSeconds, fault.Message.Split('\n')[0]);
                wait = pause;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
        }

        static TimeSpan Between(TimeSpan wanted, TimeSpan most) => wanted < most ? wanted : most;
    }

    public void Dispose() => http.Dispose();

    /// <summary>Tells of what is new, and says whether there was any.</summary>
    async Task<bool> LookAsync(Dictionary<string, ETag> told, CancellationToken cancellation)
    {
        var client = storage.GetBlobContainerClient(container);
        var listed = new HashSet<string>();
        var fresh = new List<BlobItem>();
        try
        {
            await foreach (var blob in client.GetBlobsAsync(cancellationToken: cancellation))
            {
                listed.Add(blob.Name);
                if (told.GetValueOrDefault(blob.Name) == blob.Properties.ETag)
                    continue;
                fresh.Add(blob);
                if (fresh.Count % Batch == 0)
                    await TellAsync(client, fresh[^Batch..], told, cancellation);
            }
        }
        catch (RequestFailedException missing) when (missing.ErrorCode == BlobErrorCode.ContainerNotFound)
        {
            await client.CreateIfNotExistsAsync(cancellationToken: cancellation); // so that somebody who looks for it finds it
        }
        await TellAsync(client, fresh[(fresh.Count - fresh.Count % Batch)..], told, cancellation);
        foreach (var gone in told.Keys.Where(name => !listed.Contains(name)).ToList())
            told.Remove(gone);
        return fresh.Count > 0;
    }

    async Task TellAsync(BlobContainerClient client, List<BlobItem> blobs, Dictionary<string, ETag> told, CancellationToken cancellation)
    {
        if (blobs is [])
            return;
        // The schema of Event Grid's storage events, as far as the blob extension reads it.
        var events = blobs.Select(blob => new
        {
            id = Guid.NewGuid(),
            topic = "/local",
            subject = $"/blobServices/default/containers/{container}/blobs/{blob.Name}",
            eventType = "Microsoft.Storage.BlobCreated",
            eventTime = blob.Properties.LastModified,
            dataVersion = "",
            metadataVersion = "1",
            data = new
            {
                api = "PutBlob",
                eTag = blob.Properties.ETag?.ToString(),
                contentType = blob.Properties.ContentType,
                contentLength = blob.Properties.ContentLength,
                blobType = "BlockBlob",
                url = client.GetBlobClient(blob.Name).Uri,
            },
        });
        using var answer = await http.PostAsJsonAsync($"/runtime/webhooks/blobs?functionName=Host.Functions.{function}", events, cancellation);
        answer.EnsureSuccessStatusCode();
        await RememberAsync(blobs, cancellation);
        foreach (var blob in blobs)
            told[blob.Name] = blob.Properties.ETag ?? default;
    }

    /// <summary>The contents that were told of before this start.</summary>
    async Task<Dictionary<string, ETag>> RememberedAsync(CancellationToken cancellation)
    {
        await storage.GetBlobContainerClient(RecordContainer).CreateIfNotExistsAsync(cancellationToken: cancellation);
        await Record.CreateIfNotExistsAsync(cancellationToken: cancellation);
        var lines = (await Record.DownloadContentAsync(cancellation)).Value.Content.ToString();
        var remembered = new Dictionary<string, ETag>();
        foreach (var line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Split(' ') is [var etag, var name])
                remembered[Uri.UnescapeDataString(name)] = new ETag(etag);
        }
        return remembered;
    }

    /// <summary>Writes down what was told of: lines of ETag and escaped name. The record begins anew where it can take no more.</summary>
    async Task RememberAsync(List<BlobItem> blobs, CancellationToken cancellation)
    {
        var lines = BinaryData.FromString(string.Concat(blobs.Select(blob => $"{blob.Properties.ETag} {Uri.EscapeDataString(blob.Name)}\n")));
        try
        {
            await Record.AppendBlockAsync(lines.ToStream(), cancellationToken: cancellation);
        }
        catch (RequestFailedException full) when (full.Status is 404 or 409)
        {
            await Record.CreateAsync(cancellationToken: cancellation);
            await Record.AppendBlockAsync(lines.ToStream(), cancellationToken: cancellation);
        }
    }
}
