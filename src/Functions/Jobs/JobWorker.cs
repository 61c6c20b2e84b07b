using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Works jobs off, a slice at a time. Doing one again gives the same, so that a message may come twice.</summary>
public sealed class JobWorker(JobStore jobs, JobLister lister, IBlobStore store, ModelProvider models, NamedVersions versions,
    RequestImages images, IOptions<ServingOptions> options, ILogger<JobWorker> logger)
{
    /// <summary>Results that are made together while as many others are read, and blobs that are read or written at
    /// once.</summary>
    const int Together = 32, Parallelism = 8;

    /// <summary>Does what a message asks for: lists a job's images, works a slice off, or gives either up.</summary>
    public async Task HandleAsync(JobMessage message, bool giveUp, CancellationToken cancellation)
    {
        if (await jobs.FindAsync(message.Model, message.Job, cancellation) is not { } job)
        {
            logger.LogWarning("A message asks for job {Job} of {Model}, which does not exist", message.Job, message.Model);
            return;
        }
        await (giveUp ? GiveUpAsync(job, message.Slice, cancellation)
            : message.Slice is { } slice ? WorkOffAsync(job, slice, cancellation)
            : lister.ListAsync(job, cancellation));
    }

    /// <summary>Works a slice off; what is wrong with an image is noted, anything else thrown, so that the slice is tried
    /// again.</summary>
    async Task WorkOffAsync(Job job, int slice, CancellationToken cancellation)
    {
        if (await jobs.SliceAsync(job, slice, cancellation) is not { } all || await jobs.IsOverAsync(job, cancellation))
            return;
        if (!await jobs.IsDoneAsync(job, slice, cancellation))
        {
            var output = JobOutput.Of(job, slice, store);
            if (await MakeResultsAsync(job, slice, all, output, cancellation) is not { } failures)
                return;
            JobImage[] failed = [.. all.Where(image => failures.ContainsKey(image.Path))];
            await output.CompleteAsync(failed, cancellation);
            await jobs.SaveDoneAsync(job, slice, all.Length - failed.Length,
                [.. failed.Select(image => new JobFailure(image.Path, failures[image.Path]))], cancellation);
        }
        await jobs.FinishAsync(job, slice, cancellation);
    }

    /// <summary>Notes what was tried too often: images of a slice that have no result are failures, and a job whose images cannot
    /// be listed has failed.</summary>
    async Task GiveUpAsync(Job job, int? slice, CancellationToken cancellation)
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
            var kept = await JobOutput.Of(job, number, store).GiveUpAsync(all, cancellation);
            await jobs.SaveDoneAsync(job, number, kept.Count, [.. all.Where(image => !kept.Contains(image))
                .Select(image => new JobFailure(image.Path, image.Refused
                    ?? "Its slice failed several times; the server's log has the cause."))],
                cancellation);
        }
        await jobs.FinishAsync(job, number, cancellation);
    }

    /// <summary>Reads the images of a slice, part after part, each while the one before it is run.</summary>
    /// <returns>What is wrong with images, by their paths; null where the job was cancelled meanwhile.</returns>
    async Task<IReadOnlyDictionary<string, string>?> MakeResultsAsync(
        Job job, int slice, JobImage[] all, JobOutput output, CancellationToken cancellation)
    {
        var failures = new ConcurrentDictionary<string, string>();
        foreach (var image in all.Where(image => image.Refused is not null))
            failures[image.Path] = image.Refused!;
        var together = Math.Max(1, Together / JobOperation.Of(job.Operation).ResultsOfEach(job.Parameters));
        (long Number, JobImage Image)[][] parts =
        [
            .. all.Select((image, place) => ((long)slice * job.SliceSize + place, image))
                .Where(entry => entry.image.Refused is null).Chunk(together),
        ];
        if (parts is [])
            return failures;
        await using var archives = new ArchiveReader(store);
        var watch = new JobWatch(jobs, job, TimeProvider.System);
        Task<Part>? next = ReadPartAsync(job, parts[0], archives, failures, cancellation);
        try
        {
            for (var i = 1; next is not null; i++)
            {
                if (await watch.IsOverAsync(cancellation))
                    return null;
                using var part = await next;
                next = i < parts.Length ? ReadPartAsync(job, parts[i], archives, failures, cancellation) : null;
                await MakePartAsync(job, part, output, failures, cancellation);
            }
        }
        finally
        {
            if (next is not null)
            {
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (next.IsCompletedSuccessfully)
                    next.Result.Dispose();
            }
        }
        return failures;
    }

    async Task<Part> ReadPartAsync(Job job, (long Number, JobImage Image)[] images, ArchiveReader archives,
        ConcurrentDictionary<string, string> failures, CancellationToken cancellation)
    {
        var session = await LeaseAsync(job, cancellation);
        try
        {
            if (!JobOperation.Of(job.Operation).TakesImages)
                return new(session, [.. images.Select(entry => new JobInput(entry.Number, entry.Image, Fitted: null))]);
            var read = new ConcurrentBag<JobInput>();
            await Parallel.ForEachAsync(BytesAsync(images, archives, failures, cancellation),
                new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellation },
                async (encoded, _) =>
                {
                    var (number, image, bytes) = encoded;
                    try
                    {
                        read.Add(new(number, image, await FitAsync(image, bytes, session.Input, cancellation)));
                    }
                    catch (Exception fault) when (fault is RequestException or ImageFormatException or BlobPathException)
                    {
                        failures[image.Path] = fault.Message;
                    }
                });
            return new(session, [.. read.OrderBy(input => input.Number)]);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Images that are run together, by the version that they were fitted to: another may serve by the time they are
    /// run.</summary>
    sealed record Part(ModelSession Session, JobInput[] Images) : IDisposable
    {
        public void Dispose() => Session.Dispose();
    }

    async Task<ModelSession> LeaseAsync(Job job, CancellationToken cancellation)
    {
        var serving = await models.LeaseAsync(job.Model, cancellation);
        if (job.Version is null || job.Version == serving.Version)
            return serving;
        serving.Dispose();
        return await versions.LeaseAsync(job.Model, job.Version, cancellation);
    }

    /// <summary>The bytes of archives' entries, which are read one after another; null for blobs, which are read side by
    /// side.</summary>
    static async IAsyncEnumerable<(long Number, JobImage Image, byte[]? Bytes)> BytesAsync(
        (long, JobImage)[] images, ArchiveReader archives, ConcurrentDictionary<string, string> failures,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var (number, image) in images)
        {
            byte[]? bytes = null;
            if (image.Within is { } within)
            {
                try
                {
                    bytes = await archives.ReadAsync(within, cancellation);
                }
                catch (RequestException fault)
                {
                    failures[image.Path] = fault.Message;
                    continue;
                }
            }
            yield return (number, image, bytes);
        }
    }

    async Task<FittedImage> FitAsync(JobImage image, byte[]? bytes, ImageTarget target, CancellationToken cancellation)
    {
        if (bytes is not null)
            return images.Fit(bytes, target);
        try
        {
            return await store.TryReadAsync(image.Path, options.Value.MaxBodyBytes,
                blob => images.Fit(blob.Content.ToMemory().Span, target), cancellation)
                ?? throw RequestException.Invalid("It was deleted before it could be read.");
        }
        catch (BlobTooLargeException)
        {
            throw RequestException.Invalid(
                $"It has more than {options.Value.MaxBodyBytes} bytes, which is the most that is accepted.");
        }
    }

    /// <summary>Makes a part's results and writes them.</summary>
    static async Task MakePartAsync(Job job, Part part, JobOutput output, ConcurrentDictionary<string, string> failures,
        CancellationToken cancellation)
    {
        var results = await OperateAsync(job, part.Images, part.Session, failures, cancellation);
        await Parallel.ForEachAsync(part.Images.Zip(results),
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellation },
            async (pair, _) =>
            {
                var (image, made) = pair;
                if (made is null)
                    return;
                try
                {
                    await output.AddAsync(image, made, cancellation);
                }
                catch (BlobPathException fault)
                {
                    failures[image.Image.Path] = $"Its name cannot be kept: {fault.Message}";
                }
            });
    }

    /// <summary>All images together or, where one of them is refused, one by one; null for those.</summary>
    static async Task<JobMade[]?[]> OperateAsync(Job job, JobInput[] images, ModelSession session,
        ConcurrentDictionary<string, string> failures, CancellationToken cancellation)
    {
        if (images is [])
            return [];
        while (true)
        {
            try
            {
                return await JobOperation.Of(job.Operation).RunAsync(job, session, images, cancellation);
            }
            catch (OverloadedException)
            {
                // the job waits until requests of people have been answered
                await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
            }
            catch (RequestException fault) when (images.Length == 1)
            {
                failures[images[0].Image.Path] = fault.Message;
                return [null];
            }
            catch (RequestException)
            {
                var results = new List<JobMade[]?>();
                foreach (var image in images)
                    results.AddRange(await OperateAsync(job, [image], session, failures, cancellation));
                return [.. results];
            }
        }
    }
}
