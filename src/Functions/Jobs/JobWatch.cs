namespace VaeFunctions.Serving;

/// <summary>Looks now and then, while work on a job goes on, whether it was cancelled, and lets <see cref="JobRecovery"/> know
/// that somebody is at it.</summary>
sealed class JobWatch(JobStore jobs, Job job, TimeProvider clock)
{
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5), Heartbeat = TimeSpan.FromSeconds(40);

    long look = clock.GetTimestamp(), beat = clock.GetTimestamp();

    /// <summary>Whether it was over at the last look.</summary>
    public async ValueTask<bool> IsOverAsync(CancellationToken cancellation)
    {
        if (clock.GetElapsedTime(look) < Pause)
            return false;
        look = clock.GetTimestamp();
        if (await jobs.IsOverAsync(job, cancellation))
            return true;
        if (clock.GetElapsedTime(beat) >= Heartbeat)
        {
            beat = clock.GetTimestamp();
            await jobs.MarkOpenAsync(job, cancellation);
        }
        return false;
    }
}
