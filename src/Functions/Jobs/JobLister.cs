using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Lists a job's images, those in archives too, and cuts them into slices.</summary>
public sealed class JobLister(JobStore jobs, JobQueue queue, IBlobStore store, IOptions<ServingOptions> options)
{
    /// <summary>Sends a message for each slice as soon as it is cut. Interrupted, it goes on after the last slice that it
    /// cut.</summary>
    public async Task ListAsync(Job job, CancellationToken cancellation)
    {
        var listing = await jobs.ListingAsync(job, cancellation);
        if (listing.Finished || await jobs.IsOverAsync(job, cancellation))
            return;
        // What an earlier content of that name left.
        if (job.Dropped is not null && listing.Slices == 0)
            await jobs.ClearAsync(job.Output, cancellation);
        var last = listing.Slices > 0 ? (await jobs.SliceAsync(job, listing.Slices - 1, cancellation))![^1] : null;
        // A listing that was interrupted may have cut its last slice without sending the message for it.
        if (listing.Slices > 0)
            await queue.SendAsync(new(job.Model, job.Id, listing.Slices - 1), cancellation);
        var (passedOver, watch) = (0, new JobWatch(jobs, job, TimeProvider.System));
        var images = JobOperation.Of(job.Operation).TakesImages ? ImagesAsync(job, last, () => passedOver++, cancellation)
            : SampleOperation.From(job, listing.Images).ToAsyncEnumerable();
        await foreach (var slice in images.Chunk(job.SliceSize))
        {
            if (await watch.IsOverAsync(cancellation))
                return;
            await jobs.SaveSliceAsync(job, listing.Slices, slice, cancellation);
            listing = new(listing.Slices + 1, listing.Images + slice.Length, false);
            await jobs.SaveAsync(job, listing, cancellation);
            await queue.SendAsync(new(job.Model, job.Id, listing.Slices - 1), cancellation);
        }
        await jobs.SaveAsync(job, listing with { Finished = true }, cancellation);
        if (listing.Images > 0)
            await jobs.FinishAsync(job, last: null, cancellation);
        else
            await jobs.FailAsync(job, job.Dropped is not null ? "It was deleted before it could be read."
                : $"There is no image under {job.Input}"
                    + (passedOver > 0 ? $", only {passedOver} folder markers and system files. " : ". ")
                + "Look whether the prefix is right, upper and lower case included.", cancellation);
    }

    /// <summary>The images after one, in the order of their blobs and, in an archive, of its entries.</summary>
    async IAsyncEnumerable<JobImage> ImagesAsync(
        Job job, JobImage? after, Action passOver, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var blob in store.ListAsync(job.Input, cancellation))
        {
            if (job.Dropped is not null && blob.Path != job.Input)
                continue; // another name that begins so
            // A path that ends in / marks a folder; tools make such blobs.
            if (blob.Path.EndsWith('/') || SystemLitter.Holds(blob.Path))
            {
                passOver();
                continue;
            }
            var order = after is null ? 1 : string.CompareOrdinal(blob.Path, after.Within?.Archive ?? after.Path);
            if (order < 0 || (order == 0 && after!.Within is null))
                continue;
            if (!ArchiveNames.IsArchive(blob.Path))
            {
                yield return new(blob.Path);
                continue;
            }
            var archive = blob with { ETag = job.Dropped?.ETag ?? blob.ETag };
            var entries = ArchiveEntries.ListAsync(store, archive, options.Value.MaxBodyBytes, cancellation);
            await foreach (var image in order > 0 ? entries : entries.SkipWhile(image => image != after).Skip(1))
                yield return image;
        }
    }
}
