using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Goes on with jobs whose messages were lost: a queue that was cleared, a poison message that somebody deleted, an
/// answer of the queue that never arrived.</summary>
/// <remarks>Messages may come twice, so any number of processes may do this at once.</remarks>
public sealed class JobRecovery(JobStore jobs, JobQueue queue, ILogger<JobRecovery> logger)
{
    /// <summary>A host takes a message for ten minutes. Of one that it never got, or could not give back, nobody knows until
    /// then: a job that no worker has spoken of for so long is given its messages again.</summary>
    public static readonly TimeSpan Silence = 3 * JobWatch.Heartbeat;

    /// <summary>A start that has not created its job by then never will: far longer than a storage is waited for, or a process
    /// stands still.</summary>
    public static readonly TimeSpan LongestStart = TimeSpan.FromHours(1);

    /// <summary>If jobs are open although nothing is queued, or nothing that anybody works on, sends again what they still
    /// need.</summary>
    /// <param name="now">The time, by the storage's clock or near it.</param>
    /// <exception cref="StorageException">The storage cannot be reached.</exception>
    public async Task RunAsync(DateTimeOffset now, CancellationToken cancellation)
    {
        // A job has its marker before its message: where the queue is empty, the message was taken, lost, or is about to be sent,
        // and to come twice does no harm.
        var open = await jobs.OpenAsync(cancellation).ToListAsync(cancellation);
        if (open is [] || await queue.HasVisibleAsync(cancellation))
            return;
        if (!await queue.IsEmptyAsync(cancellation))
            open.RemoveAll(marker => now - marker.Touched < Silence);
        foreach (var marker in open)
        {
            var job = await jobs.FindAsync(marker.Model, marker.Id, cancellation);
            if (job is null && marker.IsStarting && now - marker.Touched < LongestStart)
                continue;
            if (job is null || await jobs.IsOverAsync(job, cancellation))
                await jobs.CloseAsync(marker.Model, marker.Id, cancellation);
            else if (!await jobs.FinishAsync(job, last: null, cancellation))
                await SendAsync(job, cancellation);
        }
    }

    async Task SendAsync(Job job, CancellationToken cancellation)
    {
        var listing = await jobs.ListingAsync(job, cancellation);
        var slices = await jobs.UndoneAsync(job, listing, cancellation);
        logger.LogWarning("Job {Job} of {Model} has work left but no message: {Slices} slices are sent again, and its listing "
            + "{Listing}",
            job.Id, job.Model, slices.Count, listing.Finished ? "is complete" : "too");
        await jobs.MarkOpenAsync(job, cancellation);
        foreach (var slice in slices)
            await queue.SendAsync(new(job.Model, job.Id, slice), cancellation);
        if (!listing.Finished)
            await queue.SendAsync(new(job.Model, job.Id), cancellation);
    }
}
