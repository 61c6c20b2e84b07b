using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Reconstructs every image that is dropped in inbox/{model}/ and writes results/{model}/{name}.png and .json; an
/// archive becomes a bulk job.</summary>
/// <remarks>
/// What cannot be processed because of what it is goes to rejected/, with the reason; what fails for another cause throws, so
/// that the host tries again. The inbox is only read. The same blob gives the same results, so a repeated delivery does no harm.
/// The pattern takes every name, so that a file without a model's folder is rejected rather than overlooked.
/// </remarks>
public sealed class InboxFunction(
    ModelProvider models, RequestImages images, Rejections rejections, InboxArchives archives, IBlobStore store,
    IOptions<ServingOptions> options, ILogger<InboxFunction> logger)
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
        for (var tries = 1; ; tries++)
        {
            string? etag = null;
            try
            {
                if (blob.Name.Split('/', 2) is not [{ Length: > 0 } model, { Length: > 0 }])
                    throw RequestException.Invalid("It lies in no model's folder; put it in inbox/MODEL/.");
                using var session = await models.LeaseAsync(model, cancellation);
                if (ArchiveNames.IsArchive(blob.Name))
                {
                    var archive = await EntryAsync(blob, cancellation);
                    etag = archive.ETag;
                    await archives.StartAsync(archive, model, LabelOf(blob.Name, session), cancellation);
                    return;
                }
                var content = await ReadAsync(blob, cancellation);
                etag = content.ETag;
                await AnswerAsync(blob.Name, content, session, cancellation);
                // Neither does a stop cut this off: the answer is there, and would be given once more.
                if (await IsLastAsync(blob, content.ETag, CancellationToken.None))
                    return;
            }
            catch (ImageFormatException) when (tries == 1)
            {
                continue; // one bad read makes no bad image
            }
            catch (Exception fault) when (fault is RequestException or ImageFormatException)
            {
                if (await RejectAsync(blob, etag, fault.Message, cancellation))
                    return;
            }
            // Another content came meanwhile, whose own answer this one may have crossed: who comes last answers what is there.
            logger.LogInformation("inbox/{Name} has changed meanwhile, and is answered as it is now", blob.Name);
            tries = 0;
        }
    }

    /// <summary>Whether a content is still the last one of its name; also that of a blob which was deleted.</summary>
    static async Task<bool> IsLastAsync(BlobClient blob, string etag, CancellationToken cancellation)
    {
        try
        {
            return (await blob.GetPropertiesAsync(cancellationToken: cancellation)).Value.ETag.ToString("H") == etag;
        }
        catch (RequestFailedException gone) when (gone.Status == StatusCodes.Status404NotFound)
        {
            return true;
        }
    }

    async Task AnswerAsync(string name, Blob content, ModelSession session, CancellationToken cancellation)
    {
        var label = LabelOf(name, session);
        var fitted = images.Fit(content.Content.ToMemory().Span, session.Input);
        var result = (await Reconstruction.OfAsync(
            [fitted], label is null ? null : [session.LabelNamed(label)], session, cancellation))[0];

        // A name has a result or a rejection, never both: what an earlier content of it was rejected for goes. The JSON comes
        // last: where it is, the result is complete. A stop does not cut it off, for it may be there when the answer is not.
        await Task.WhenAll(WriteAsync($"results/{name}.png", new BinaryData(ImageCodec.EncodePng(result.Image)), cancellation),
            ForgetRejectionAsync(name, content.Age, cancellation));
        await WriteAsync($"results/{name}.json", Answers.Document(new InboxResult(
            session.Model, session.Version, $"inbox/{name}", content.ETag.Trim('"'),
            label, result.Original.OriginalSize, result.Original.Resized, result.Error, result.Mean,
            new(result.LogVariance.Min(), result.LogVariance.Average(), result.LogVariance.Max()))), CancellationToken.None);
    }

    async Task ForgetRejectionAsync(string name, TimeSpan age, CancellationToken cancellation)
    {
        if (!await rejections.MayHoldAsync(name, age, cancellation))
            return;
        await DeleteAsync($"rejected/{name}.json", cancellation);
        await DeleteAsync($"rejected/{KeptAs(name)}", cancellation);
    }

    /// <summary>What is dropped for a conditional model lies in a folder of its label, as training images do; null for other
    /// models.</summary>
    static string? LabelOf(string name, ModelSession session) => !session.Conditional ? null
        : name.Split('/') is [_, var label, _, ..] ? session.Labels[(int)session.LabelNamed(label)]
        : throw RequestException.Invalid("The model is conditional on labels; put the image in inbox/MODEL/LABEL/.");

    async Task WriteAsync(string path, BinaryData content, CancellationToken cancellation)
    {
        try
        {
            await store.WriteAsync(path, content, cancellation: cancellation);
        }
        catch (BlobPathException fault)
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

    Task<Blob> ReadAsync(BlobClient blob, CancellationToken cancellation)
    {
        var largest = options.Value.MaxBodyBytes;
        return BlobDownload.ReadAsync(blob, largest,
            size => RequestException.Invalid($"It has {size} bytes; at most {largest} are accepted."), cancellation);
    }

    static async Task<BlobEntry> EntryAsync(BlobClient blob, CancellationToken cancellation)
    {
        var found = (await blob.GetPropertiesAsync(cancellationToken: cancellation)).Value;
        return new($"inbox/{blob.Name}", found.ContentLength, found.ETag.ToString("H"), found.LastModified);
    }

    /// <summary>The name of a rejected blob's content: its own but where that could be the name of another's reason, which ends
    /// in .json.</summary>
    static string KeptAs(string name) => name.TrimEnd('~').EndsWith(".json", StringComparison.Ordinal) ? name + "~" : name;

    /// <param name="etag">What was judged; null where no content would do.</param>
    /// <returns>False where another content came meanwhile, whose own answer this may have crossed.</returns>
    async Task<bool> RejectAsync(BlobClient blob, string? etag, string reason, CancellationToken cancellation)
    {
        logger.LogWarning("inbox/{Name} is rejected: {Reason}", blob.Name, reason);
        var rejected = blob.GetParentBlobContainerClient().GetParentBlobServiceClient().GetBlobContainerClient("rejected");
        BlobClient kept = rejected.GetBlobClient(KeptAs(blob.Name)), note = rejected.GetBlobClient($"{blob.Name}.json");
        if (await KeepAsync(blob, etag, kept, cancellation) is not { } content)
            return false;
        // The result of an earlier content of that name goes, its JSON first.
        if (ArchiveNames.IsArchive(blob.Name))
            await archives.ForgetAsync(blob.Name, cancellation);
        await DeleteAsync($"results/{blob.Name}.json", cancellation);
        await DeleteAsync($"results/{blob.Name}.png", cancellation);
        var judged = content.Details.ETag.ToString("H");
        var rejection = new Rejection($"inbox/{blob.Name}", $"rejected/{KeptAs(blob.Name)}", judged.Trim('"'),
            content.Details.ContentLength, reason);
        var written = await note.UploadAsync(Answers.Document(rejection), overwrite: true, cancellation);

        if (await IsLastAsync(blob, judged, cancellation))
            return true;
        await DeleteOwnAsync(note, written.Value.ETag, cancellation);
        await DeleteOwnAsync(kept, content.Kept, cancellation);
        return false;
    }

    /// <summary>Copies what is rejected, through a stream, since it may be larger than memory; null where it is no more what was
    /// judged.</summary>
    static async Task<(BlobDownloadDetails Details, ETag Kept)?> KeepAsync(
        BlobClient blob, string? etag, BlobClient kept, CancellationToken cancellation)
    {
        var judged = new BlobDownloadOptions { Conditions = new() { IfMatch = etag is null ? null : new ETag(etag) } };
        for (var again = true; ; again = false)
        {
            try
            {
                using BlobDownloadStreamingResult download = await blob.DownloadStreamingAsync(judged, cancellation);
                BlobContentInfo copy = await kept.UploadAsync(download.Content, overwrite: true, cancellation);
                return (download.Details, copy.ETag);
            }
            catch (RequestFailedException changed) when (changed.ErrorCode == BlobErrorCode.ConditionNotMet)
            {
                return null;
            }
            catch (RequestFailedException missing) when (again && missing.ErrorCode == BlobErrorCode.ContainerNotFound)
            {
                // Only where it is missing: creating a container takes a role on the account, writing to it one on the container.
                await kept.GetParentBlobContainerClient().CreateIfNotExistsAsync(cancellationToken: cancellation);
            }
        }
    }

    /// <summary>Deletes a blob unless another has taken its place.</summary>
    static async Task DeleteOwnAsync(BlobClient blob, ETag own, CancellationToken cancellation)
    {
        try
        {
            await blob.DeleteIfExistsAsync(conditions: new() { IfMatch = own }, cancellationToken: cancellation);
        }
        catch (RequestFailedException other) when (other.ErrorCode == BlobErrorCode.ConditionNotMet)
        {
        }
    }
}
