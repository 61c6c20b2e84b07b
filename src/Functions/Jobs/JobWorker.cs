using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;
using VaeFunctions.Latent;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Cuts jobs into slices and works slices off. Doing either again gives the same, so that a message may come
/// twice.</summary>
public sealed class JobWorker(JobStore jobs, JobQueue queue, IBlobStore store, ModelProvider models, RequestImages images,
    IOptions<ServingOptions> options, ILogger<JobWorker> logger)
{
    /// <summary>Images that are in memory at once, and blobs that are read or written at once.</summary>
    const int Together = 32, Parallelism = 8;

    /// <summary>Lists a job's images, a page at a time, and sends a message for each slice. Interrupted, it goes on after the
    /// last slice that it cut.</summary>
    public async Task ListAsync(Job job, CancellationToken cancellation)
    {
        var listing = await jobs.ListingAsync(job, cancellation);
        if (listing.Finished || await jobs.IsOverAsync(job, cancellation))
            return;
        var last = listing.Slices > 0 ? (await jobs.SliceAsync(job, listing.Slices - 1, cancellation))![^1].Path : "";
        // A listing that was interrupted may have cut its last slice without sending the message for it.
        if (listing.Slices > 0)
            await queue.SendAsync(new(job.Model, job.Id, listing.Slices - 1), cancellation);
        var passedOver = 0;
        var fresh = store.ListAsync(job.Input, cancellation)
            .Where(blob => string.CompareOrdinal(blob.Path, last) > 0 && IsOfPeople(blob.Path));
        await foreach (var slice in fresh.Select(blob => new JobImage(blob.Path)).Chunk(job.SliceSize))
        {
            if (await jobs.IsOverAsync(job, cancellation))
                return;
            await jobs.SaveSliceAsync(job, listing.Slices, slice, cancellation);
            listing = new(listing.Slices + 1, listing.Images + slice.Length, false);
            await jobs.SaveAsync(job, listing, cancellation);
            await queue.SendAsync(new(job.Model, job.Id, listing.Slices - 1), cancellation);
        }
        await jobs.SaveAsync(job, listing with { Finished = true }, cancellation);
        if (listing.Images > 0)
            await jobs.FinishAsync(job, cancellation);
        else
            await jobs.FailAsync(job, $"There is no image under {job.Input}"
                + (passedOver > 0 ? $", only {passedOver} folder markers and system files. " : ". ")
                + "Look whether the prefix is right, upper and lower case included.", cancellation);

        bool IsOfPeople(string path)
        {
            // A path that ends in / marks a folder; tools make such blobs.
            var isOne = !path.EndsWith('/') && !SystemLitter.Holds(path);
            if (!isOne) passedOver++;
            return isOne;
        }
    }

    /// <summary>Works a slice off, image by image; what is wrong with an image is noted, anything else thrown, so that the slice
    /// is tried again.</summary>
    public async Task WorkAsync(Job job, int slice, CancellationToken cancellation)
    {
        if (await jobs.SliceAsync(job, slice, cancellation) is not { } all || await jobs.IsOverAsync(job, cancellation))
            return;
        if (!await jobs.IsDoneAsync(job, slice, cancellation))
        {
            var failures = new ConcurrentDictionary<string, string>();
            foreach (var part in all.Chunk(Together))
            {
                if (await jobs.IsOverAsync(job, cancellation))
                    return;
                using var session = await models.LeaseAsync(job.Model, cancellation);
                await WorkAsync(job, part, session, failures, cancellation);
            }
            JobFailure[] failed = [.. all.Where(image => failures.ContainsKey(image.Path))
                .Select(image => new JobFailure(image.Path, failures[image.Path]))];
            await ForgetAsync(job, failed, cancellation);
            await jobs.SaveDoneAsync(job, slice, all.Length - failed.Length, failed, cancellation);
        }
        await jobs.FinishAsync(job, cancellation);
    }

    /// <summary>Notes what was tried too often: images of a slice that have no result are failures, and a job whose images cannot
    /// be listed has failed.</summary>
    public async Task GiveUpAsync(Job job, int? slice, CancellationToken cancellation)
    {
        if (slice is not { } number)
        {
            await jobs.FailAsync(job, "Its images could not be listed, after several tries; the server's log has the cause.",
                cancellation);
            return;
        }
        if (await jobs.SliceAsync(job, number, cancellation) is not { } all)
            return;
        if (!await jobs.IsDoneAsync(job, number, cancellation))
        {
            var failed = new List<JobFailure>();
            foreach (var image in all)
            {
                if (!await HasResultAsync(job, image, cancellation))
                    failed.Add(new(image.Path, "Its slice failed several times; the server's log has the cause."));
            }
            await jobs.SaveDoneAsync(job, number, all.Length - failed.Count, failed, cancellation);
        }
        await jobs.FinishAsync(job, cancellation);
    }

    /// <summary>Whether an image has a result of this job; an earlier one may have left another.</summary>
    async Task<bool> HasResultAsync(Job job, JobImage image, CancellationToken cancellation)
    {
        var path = $"{ResultOf(job, image)}.json";
        return BlobStores.IsPath(path) && await store.TryReadAsync(path, long.MaxValue, cancellation) is { } blob
            && JsonNode.Parse(blob.Content)?["job"]?.ToString() == job.Id;
    }

    /// <summary>An image that failed has no result, not even one that an earlier job with this output left.</summary>
    Task ForgetAsync(Job job, IReadOnlyList<JobFailure> failed, CancellationToken cancellation) =>
        ForEachAsync([.. failed.Select(failure => new JobImage(failure.Path))], async (image, _) =>
        {
            foreach (var ending in (string[])[".json", ".png"])
            {
                var path = ResultOf(job, image) + ending;
                if (BlobStores.IsPath(path))
                    await store.DeleteAsync(path, cancellation);
            }
        }, cancellation);

    async Task WorkAsync(Job job, JobImage[] part, ModelSession session, ConcurrentDictionary<string, string> failures,
        CancellationToken cancellation)
    {
        var fitted = new FittedImage?[part.Length];
        await ForEachAsync(part, async (image, i) =>
        {
            try
            {
                fitted[i] = await ReadAsync(image, session, cancellation);
            }
            catch (Exception fault) when (fault is RequestException or ImageFormatException or ArgumentException)
            {
                failures[image.Path] = fault.Message;
            }
        }, cancellation);
        JobImage[] good = [.. part.Where((_, i) => fitted[i] is not null)];
        var results = await ReconstructAsync(job, good, [.. fitted.OfType<FittedImage>()], session, failures, cancellation);
        await ForEachAsync(good, async (image, i) =>
        {
            if (results[i] is not { } result)
                return;
            try
            {
                await WriteAsync(job, image, result, session, cancellation);
            }
            catch (ArgumentException fault)
            {
                failures[image.Path] = $"Its name cannot be kept: {fault.Message}";
            }
        }, cancellation);
    }

    async Task<FittedImage> ReadAsync(JobImage image, ModelSession session, CancellationToken cancellation)
    {
        try
        {
            return await store.TryReadAsync(image.Path, options.Value.MaxBodyBytes,
                blob => images.Fit(blob.Content.ToMemory().Span, session.Input), cancellation)
                ?? throw RequestException.Invalid("It was deleted before it could be read.");
        }
        catch (BlobTooLargeException)
        {
            throw RequestException.Invalid(
                $"It has more than {options.Value.MaxBodyBytes} bytes, which is the most that is accepted.");
        }
    }

    /// <summary>All images together or, where one of them is refused, one by one; null for those.</summary>
    static async Task<Reconstruction?[]> ReconstructAsync(
        Job job, JobImage[] paths, FittedImage[] originals, ModelSession session, ConcurrentDictionary<string, string> failures,
        CancellationToken cancellation)
    {
        if (originals is [])
            return [];
        long[]? labels = session.Conditional ? [.. Enumerable.Repeat(session.LabelNamed(job.Label ?? ""), originals.Length)] : null;
        while (true)
        {
            try
            {
                return await Reconstruction.OfAsync(originals, labels, session, cancellation, judged: true);
            }
            catch (OverloadedException)
            {
                // the job waits until requests of people have been answered
                await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
            }
            catch (RequestException fault) when (originals.Length == 1)
            {
                failures[paths[0].Path] = fault.Message;
                return [null];
            }
            catch (RequestException)
            {
                var results = new List<Reconstruction?>();
                foreach (var (path, original) in paths.Zip(originals))
                    results.AddRange(await ReconstructAsync(job, [path], [original], session, failures, cancellation));
                return [.. results];
            }
        }
    }

    /// <summary>The JSON comes last: where it is, the result is complete.</summary>
    async Task WriteAsync(Job job, JobImage image, Reconstruction result, ModelSession session, CancellationToken cancellation)
    {
        var path = ResultOf(job, image);
        var picture = job.Operation switch
        {
            "reconstruct" => result.Image,
            "anomaly" => Anomaly.HeatMap(result.Original.Image, result.Image),
            _ => null,
        };
        if (picture is not null)
            await store.WriteAsync($"{path}.png", new BinaryData(ImageCodec.EncodePng(picture)), cancellation: cancellation);
        var (percentile, _, verdict) = JudgedImage.Judge(session, result);
        await store.WriteAsync($"{path}.json", Answers.Document(new JobResult(
            session.Model, session.Version, job.Id, image.Path, job.Label, result.Original.OriginalSize, result.Original.Resized,
            result.Error,
            percentile, verdict, session.CalibratedOn, job.Operation == "anomaly" ? null : result.Mean, job.Operation == "encode"
            ? result.LogVariance : null)),
            cancellation: cancellation);
    }

    /// <summary>The image's place under the input's folder, under the output.</summary>
    static string ResultOf(Job job, JobImage image) => job.Output + image.Path[(job.Input.LastIndexOf('/') + 1)..];

    static Task ForEachAsync(JobImage[] images, Func<JobImage, int, Task> work, CancellationToken cancellation) =>
        Parallel.ForEachAsync(
        images.Index(), new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellation },
        async (entry, _) => await work(entry.Item, entry.Index));

    public async Task RunAsync(JobMessage message, bool giveUp, CancellationToken cancellation)
    {
        if (await jobs.FindAsync(message.Model, message.Job, cancellation) is not { } job)
        {
            logger.LogWarning("A message asks for job {Job} of {Model}, which does not exist", message.Job, message.Model);
            return;
        }
        await (giveUp ? GiveUpAsync(job, message.Slice, cancellation)
            : message.Slice is { } slice ? WorkAsync(job, slice, cancellation)
            : ListAsync(job, cancellation));
    }
}
