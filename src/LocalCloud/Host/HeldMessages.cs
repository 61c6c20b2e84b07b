using Azure;
using Azure.Storage.Queues;
using Microsoft.Extensions.Logging;

namespace VaeFunctions.LocalCloud.Host;

/// <summary>The queue messages that functions are at work on, written down so that a host that was killed gives them back when it
/// starts again.</summary>
/// <remarks>The SDK takes a message for ten minutes, and again while a function runs; without this a job would stand still for as
/// long after a crash.</remarks>
sealed class HeldMessages(LocalHostOptions options, ILogger<HeldMessages> logger)
{
    readonly string folder = Directory.CreateDirectory(Path.Combine(options.DataFolder, "messages")).FullName;

    /// <summary>Notes that a message is being worked on, until what is returned is disposed of.</summary>
    /// <param name="receipt">With which the message can be made visible again.</param>
    public IDisposable Hold(string queue, string id, string receipt)
    {
        var path = Path.Combine(folder, id);
        File.WriteAllLines(path, [queue, id, receipt]);
        return new Release(path);
    }

    /// <summary>Makes visible what an earlier host was working on.</summary>
    public async Task GiveBackAsync(CancellationToken cancellation)
    {
        foreach (var path in Directory.GetFiles(folder))
        {
            if (await File.ReadAllLinesAsync(path, cancellation) is [var queue, var id, var receipt])
            {
                try
                {
                    await new QueueClient(options.Storage, queue)
                        .UpdateMessageAsync(id, receipt, visibilityTimeout: TimeSpan.Zero, cancellationToken: cancellation);
                    logger.LogInformation("A message of {Queue} that an earlier host worked on is tried again", queue);
                }
                catch (RequestFailedException fault) when (fault.Status is 400 or 404)
                {
                    // Done with after all, or its receipt is an older one: then it comes back by itself.
                    logger.LogInformation(
                        "A message of {Queue} is not given back: {Reason}", queue, fault.Message.Split('\n')[0]);
                }
            }
            File.Delete(path);
        }
    }

    sealed class Release(string path) : IDisposable
    {
        public void Dispose() => File.Delete(path);
    }
}
