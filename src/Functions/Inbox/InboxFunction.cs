using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Reconstructs every image that is dropped in inbox/{model}/ and writes results/{model}/{name}.png and .json.</summary>
/// <remarks>
/// What cannot be processed because of what it is goes to rejected/, with the reason; what fails for another cause throws, so
/// that the host tries again. The inbox is only read. The same blob gives the same results, so a repeated delivery does no harm.
/// The pattern takes every name, so that a file without a model's folder is rejected rather than overlooked.
/// </remarks>
public sealed class InboxFunction(
    ModelProvider models, RequestImages images, IBlobStore store, IOptions<ServingOptions> options, ILogger<InboxFunction> logger)
{
    [Function("Inbox")]
    public async Task Run(
        [BlobTrigger("inbox/{name}", Source = BlobTriggerSource.EventGrid, Connection = BlobStores.Setting)] BlobClient blob,
        CancellationToken cancellation)
    {
        if (blob.Name.EndsWith('/') || SystemLitter.Holds(blob.Name))
        {
            logger.LogInformation("inbox/{Name} is passed over: {What}", blob.Name,
                blob.Name.EndsWith('/') ? "it marks a folder" : "it is a file of a system, not of people");
            return;
        }
        try
        {
            await ProcessOrRejectAsync(blob, cancellation);
        }
        catch (RequestFailedException gone) when (gone.Status == StatusCodes.Status404NotFound)
        {
            logger.LogInformation("inbox/{Name} was deleted before it could be read", blob.Name);
        }
        catch (Exception) when (options.Value.InboxPauseSeconds > 0) // for hosts that try again at once
        {
            await Task.Delay(TimeSpan.FromSeconds(options.Value.InboxPauseSeconds), cancellation)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    async Task ProcessOrRejectAsync(BlobClient blob, CancellationToken cancellation)
    {
        for (var again = true; ; again = false)
        {
            try
            {
                await ProcessAsync(blob, cancellation);
                return;
            }
            catch (ImageFormatException) when (again)
            {
                // One bad read makes no bad image.
            }
            catch (Exception fault) when (fault is RequestException or ImageFormatException)
            {
                await RejectAsync(blob, fault.Message, cancellation);
                return;
            }
        }
    }

    async Task ProcessAsync(BlobClient blob, CancellationToken cancellation)
    {
        if (blob.Name.Split('/', 2) is not [{ Length: > 0 } model, { Length: > 0 }])
            throw RequestException.Invalid("It lies in no model's folder; put it in inbox/MODEL/.");
        using var session = await models.LeaseAsync(model, cancellation);
        var (content, etag) = await ReadAsync(blob, cancellation);
        long[]? label = session.Conditional ? [session.LabelNamed(LabelFolder(blob.Name))] : null;
        var result = (await Reconstruction.OfAsync([images.Fit(content, session.Input)], label, session, cancellation))[0];

        // A name has a result or a rejection, never both: what an earlier content of it was rejected for goes. The JSON comes
        // last: where it is, the result is complete. A stop does not cut it off, for it may be there when the answer is not.
        await Task.WhenAll(
            WriteAsync($"results/{blob.Name}.png", new BinaryData(ImageCodec.EncodePng(result.Image)), cancellation),
            DeleteAsync($"rejected/{blob.Name}.json", cancellation), DeleteAsync($"rejected/{KeptAs(blob.Name)}", cancellation));
        await WriteAsync($"results/{blob.Name}.json", Answers.Document(new InboxResult(
            session.Model, session.Version, $"inbox/{blob.Name}", etag, label is null ? null : session.Labels[(int)label[0]],
            result.Original.OriginalSize, result.Original.Resized,
            result.Error,
            result.Mean, new(result.LogVariance.Min(), result.LogVariance.Average(), result.LogVariance.Max()))), CancellationToken.None);
    }

    /// <summary>What is dropped for a conditional model lies in a folder of its label, as training images do.</summary>
    static string LabelFolder(string name) => name.Split('/') is [_, var label, _, ..]
        ? label
        : throw RequestException.Invalid("The model is conditional on labels; put the image in inbox/MODEL/LABEL/.");

    async Task WriteAsync(string path, BinaryData content, CancellationToken cancellation)
    {
        try
        {
            await store.WriteAsync(path, content, cancellation: cancellation);
        }
        catch (ArgumentException fault)
        {
            throw RequestException.Invalid($"Its name cannot be kept: {fault.Message}", fault);
        }
    }

    /// <summary>Deletes what an earlier content left; under a name that no blob of ours can have there is nothing.</summary>
    async Task DeleteAsync(string path, CancellationToken cancellation)
    {
        if (BlobStores.IsPath(path))
            await store.DeleteAsync(path, cancellation);
    }

    async Task<(byte[] Content, string ETag)> ReadAsync(BlobClient blob, CancellationToken cancellation)
    {
        var largest = options.Value.MaxBodyBytes;
        var read = await BlobDownload.ReadAsync(blob, largest,
            size => RequestException.Invalid($"It has {size} bytes; at most {largest} are accepted."), cancellation);
        return (read.Content.ToArray(), read.ETag.Trim('"'));
    }

    /// <summary>The name of a rejected blob's content: its own but where that could be the name of another's reason, which ends
    /// in .json.</summary>
    static string KeptAs(string name) => name.TrimEnd('~').EndsWith(".json", StringComparison.Ordinal) ? name + "~" : name;

    async Task RejectAsync(BlobClient blob, string reason, CancellationToken cancellation)
    {
        logger.LogWarning("inbox/{Name} is rejected: {Reason}", blob.Name, reason);
        // Through a stream, since what is rejected may be larger than memory.
        BlobDownloadStreamingResult download = await blob.DownloadStreamingAsync(cancellationToken: cancellation);
        var rejected = blob.GetParentBlobContainerClient().GetParentBlobServiceClient().GetBlobContainerClient("rejected");
        // Created only where it is missing: creating a container takes a role on the account, writing to it one on the container.
        if (!await rejected.ExistsAsync(cancellation))
            await rejected.CreateIfNotExistsAsync(cancellationToken: cancellation);
        // The result of an earlier content of that name goes, its JSON first.
        await DeleteAsync($"results/{blob.Name}.json", cancellation);
        await DeleteAsync($"results/{blob.Name}.png", cancellation);
        using (download)
        {
            await rejected.GetBlobClient(KeptAs(blob.Name)).UploadAsync(download.Content, overwrite: true, cancellation);
            var rejection = new Rejection($"inbox/{blob.Name}", $"rejected/{KeptAs(blob.Name)}",
                download.Details.ETag.ToString(), download.Details.ContentLength, reason);
            await rejected.GetBlobClient($"{blob.Name}.json")
                .UploadAsync(Answers.Document(rejection), overwrite: true, cancellation);
        }
    }
}
