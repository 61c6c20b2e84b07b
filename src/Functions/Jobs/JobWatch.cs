using System.Diagnostics;

namespace VaeFunctions.Serving;

/// <summary>Looks now and then, while work on a job goes on, whether it was cancelled.</summary>
sealed class JobWatch(JobStore jobs, Job job)
{
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    readonly Stopwatch sinceLook = Stopwatch.StartNew();

    /// <summary>Whether it was over at the last look.</summary>
    public async ValueTask<bool> IsOverAsync(CancellationToken cancellation)
    {
        if (sinceLook.Elapsed < Pause)
            return false;
        sinceLook.Restart();
        return await jobs.IsOverAsync(job, cancellation);
    }
}
