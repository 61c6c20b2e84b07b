using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging;

namespace VaeFunctions.LocalCloud.Host;

/// <summary>What Event Grid does on Azure: posts a BlobCreated event to the host for every new content of a blob in a
/// container.</summary>
/// <remarks>
/// An event that the host has taken is a message of its queue. The contents that the function is done with are recorded beside
/// the SDK's own blobs. A host that starts empties the queue of an earlier one and tells of all others: messages that the earlier
/// one had taken when it was killed would be invisible for ten minutes. Just as long is a message invisible that a listener took
/// and could not give back, or that never reached it because the answer was cut off: what the function has not finished after a
/// <see cref="Silence"/> is told of once more. If it was being worked on all the same, it is done twice, with the same outcome;
/// Event Grid may tell twice as well.
/// </remarks>
sealed class BlobEvents(BlobServiceClient storage, QueueServiceClient queues, HostedFunction function, ILogger<BlobEvents> logger)
{
    /// <summary>Events that go into one request.</summary>
    const int Batch = 100;

    /// <summary>A block of an append blob takes 4 MiB; a name, escaped, takes at most 12 KiB.</summary>
    const int LinesOfABlock = 300;

    const string RecordContainer = "azure-webjobs-hosts";

    static readonly TimeSpan shortest = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan longest = TimeSpan.FromSeconds(1);
    static readonly TimeSpan pause = TimeSpan.FromSeconds(5);

    readonly string container = ((string)function.Trigger["path"]!).Split('/')[0];
    readonly ConcurrentQueue<(string Name, ETag Content)> finished = new();
    readonly Dictionary<string, ETag> done = [];
    readonly Dictionary<string, Telling> told = [];
    DateTime lastWaiting; // when an event was last seen in the queue
    bool recalled;

    public string Function => function.Name;

    /// <summary>After how long what was told of once and is not finished is told of again. Where an event waits in the queue just
    /// then, the host may be behind, and it is looked at again after as long.</summary>
    public TimeSpan Silence { get; init; } = UsualSilence;

    public static readonly TimeSpan UsualSilence = TimeSpan.FromMinutes(2);

    /// <summary>Whether a content is done with as soon as the host was told: where the host is not ours, and keeps its
    /// queue.</summary>
    public bool FinishedWhenTold { get; init; }

    QueueClient Queue => queues.GetQueueClient($"azure-webjobs-blobtrigger-{HostId.Value}");

    AppendBlobClient Record => storage.GetBlobContainerClient(RecordContainer)
        .GetAppendBlobClient($"{(FinishedWhenTold ? "told" : "done")}/{HostId.Value}/{function.Name}");

    /// <summary>Notes that the function is done with a content of a blob.</summary>
    public void Finish(string name, ETag content) => finished.Enqueue((name, Quoted(content)));

    /// <summary>Learns what is done already, and empties the queue of an earlier host. What fails here is tried again when blobs
    /// are looked for.</summary>
    public async Task RecallAsync(CancellationToken cancellation)
    {
        if (!FinishedWhenTold && await Queue.ExistsAsync(cancellation))
            await Queue.ClearMessagesAsync(cancellation);
        await storage.GetBlobContainerClient(RecordContainer).CreateIfNotExistsAsync(cancellationToken: cancellation);
        await Record.CreateIfNotExistsAsync(cancellationToken: cancellation);
        var lines = (await Record.DownloadContentAsync(cancellation)).Value.Content.ToString();
        foreach (var line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Split(' ') is [var etag, var name])
                done[Uri.UnescapeDataString(name)] = new ETag(etag);
        }
        foreach (var (name, content) in done)
            told[name] = new(content, null);
        recalled = true;
    }

    /// <summary>Tells a host of blobs until it is to stop.</summary>
    public async Task RunAsync(Uri host, CancellationToken stopping)
    {
        using var http = new HttpClient { BaseAddress = host, DefaultRequestHeaders = { { "aeg-event-type", "Notification" } } };
        for (var wait = shortest; !stopping.IsCancellationRequested;
            await Task.Delay(wait, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing))
        {
            var clock = Stopwatch.StartNew();
            try
            {
                if (!recalled)
                    await RecallAsync(stopping);
                await RecordAsync(stopping);
                // An idle container is looked at less often, and a long listing is not made more than a third of the time.
                wait = await LookAsync(http, stopping) ? shortest : Between(2 * wait, longest);
                wait = 2 * clock.Elapsed > wait ? 2 * clock.Elapsed : wait;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) // also a time limit, which clients report as cancelled
            {
                logger.LogWarning("New blobs of {Container} cannot be looked for, trying again in {Seconds} s: {Reason}",
                    container, pause.TotalSeconds, fault.Message.Split('\n')[0]);
                wait = pause;
            }
        }

        static TimeSpan Between(TimeSpan wanted, TimeSpan most) => wanted < most ? wanted : most;
    }

    /// <summary>Tells of what is new, and says whether there was any.</summary>
    async Task<bool> LookAsync(HttpClient http, CancellationToken cancellation)
    {
        var client = storage.GetBlobContainerClient(container);
        var lost = await LostAsync(cancellation);
        var listed = new HashSet<string>();
        var fresh = new List<BlobItem>();
        try
        {
            await foreach (var blob in client.GetBlobsAsync(cancellationToken: cancellation))
            {
                listed.Add(blob.Name);
                if (told.GetValueOrDefault(blob.Name).Content == Quoted(blob.Properties.ETag) && !lost.Contains(blob.Name))
                    continue;
                fresh.Add(blob);
                if (fresh.Count % Batch == 0)
                    await TellAsync(http, client, fresh[^Batch..], cancellation);
            }
        }
        catch (RequestFailedException missing) when (missing.ErrorCode == BlobErrorCode.ContainerNotFound)
        {
            await client.CreateIfNotExistsAsync(cancellationToken: cancellation); // so that somebody who looks for it finds it
        }
        await TellAsync(http, client, fresh[(fresh.Count - fresh.Count % Batch)..], cancellation);
        foreach (var gone in told.Keys.Where(name => !listed.Contains(name)).ToList())
        {
            told.Remove(gone);
            done.Remove(gone);
        }
        return fresh.Count > 0;
    }

    /// <summary>The names of blobs that were told of once, more than a <see cref="Silence"/> ago, and are not finished. Empty
    /// while an event waits in the queue: it may be theirs.</summary>
    async Task<HashSet<string>> LostAsync(CancellationToken cancellation)
    {
        var late = DateTime.UtcNow - Silence;
        var unfinished = told.Where(pair => pair.Value.ToldOnceAt is not null
            && done.GetValueOrDefault(pair.Key) != pair.Value.Content).ToList();
        if (lastWaiting > late || !unfinished.Any(pair => pair.Value.ToldOnceAt < late))
            return [];
        if (await AnyWaitsAsync(cancellation))
        {
            lastWaiting = DateTime.UtcNow;
            return [];
        }
        // What was told of a little later goes with it: its own turn would find these events waiting, and be put off.
        HashSet<string> lost = [.. unfinished.Where(pair => pair.Value.ToldOnceAt < late + Silence / 2).Select(pair => pair.Key)];
        logger.LogWarning("Unfinished after {Seconds} s and told of again: {Count} in {Container}, {Name} among them",
            Silence.TotalSeconds, lost.Count, container, lost.First());
        return lost;
    }

    /// <summary>Whether an event waits in the queue; none does where somebody has deleted the queue.</summary>
    async Task<bool> AnyWaitsAsync(CancellationToken cancellation)
    {
        try
        {
            return (await Queue.PeekMessageAsync(cancellation)).Value is not null;
        }
        catch (RequestFailedException missing) when (missing.ErrorCode == QueueErrorCode.QueueNotFound)
        {
            return false;
        }
    }

    async Task TellAsync(HttpClient http, BlobContainerClient client, List<BlobItem> blobs, CancellationToken cancellation)
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
        using var answer = await http.PostAsJsonAsync($"/runtime/webhooks/blobs?functionName=Host.Functions.{function.Name}",
            events, cancellation);
        answer.EnsureSuccessStatusCode();
        foreach (var blob in blobs)
        {
            var content = Quoted(blob.Properties.ETag);
            var again = told.GetValueOrDefault(blob.Name).Content == content;
            told[blob.Name] = new(content, again ? null : DateTime.UtcNow);
            if (FinishedWhenTold)
                Finish(blob.Name, content);
        }
    }

    /// <summary>Writes down what was finished: lines of ETag and escaped name. The record begins anew where it can take no more
    /// blocks.</summary>
    public async Task RecordAsync(CancellationToken cancellation)
    {
        if (!recalled)
            return;
        while (finished.Take(LinesOfABlock).ToList() is { Count: > 0 } lines)
        {
            foreach (var (name, content) in lines)
                done[name] = content;
            try
            {
                await AppendAsync(lines, cancellation);
            }
            catch (RequestFailedException full) when (full.Status is 404 or 409)
            {
                await Record.CreateAsync(cancellationToken: cancellation);
                foreach (var all in done.Select(pair => (pair.Key, pair.Value)).Chunk(LinesOfABlock))
                    await AppendAsync(all, cancellation);
            }
            for (var i = 0; i < lines.Count; i++)
                finished.TryDequeue(out _);
        }
    }

    /// <summary>Listings give ETags without the quotation marks that headers have.</summary>
    static ETag Quoted(ETag? content) => new(content?.ToString("H") ?? "");

    async Task AppendAsync(IEnumerable<(string Name, ETag Content)> lines, CancellationToken cancellation)
    {
        var text = string.Concat(lines.Select(line => $"{line.Content} {Uri.EscapeDataString(line.Name)}\n"));
        await Record.AppendBlockAsync(BinaryData.FromString(text).ToStream(), cancellationToken: cancellation);
    }

    /// <summary>A content that a host was told of.</summary>
    /// <param name="ToldOnceAt">When; null if it was told of a second time, or was done before this host started: it is not told
    /// of again.</param>
    readonly record struct Telling(ETag Content, DateTime? ToldOnceAt);
}
