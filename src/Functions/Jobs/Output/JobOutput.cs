using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Where the results of a slice go. Writing a slice again replaces what was written of it before.</summary>
abstract class JobOutput
{
    public static JobOutput Of(Job job, int slice, IBlobStore store) => job.Format switch
    {
        Job.Parquet => new ParquetOutput(job, slice, store),
        Job.Tar => new TarOutput(job, slice, store),
        _ => new FilesOutput(job, store),
    };

    /// <summary>Takes an image's results; called from several threads.</summary>
    /// <exception cref="BlobPathException">The image's name cannot be kept.</exception>
    public abstract Task AddAsync(JobInput image, JobMade[] results, CancellationToken cancellation);

    /// <summary>Writes what has not been written yet; then the slice's results are complete.</summary>
    public abstract Task CompleteAsync(IReadOnlyList<JobImage> failed, CancellationToken cancellation);

    /// <summary>Leaves a slice that failed too often, and says which of its images have a result nevertheless.</summary>
    public abstract Task<IReadOnlySet<JobImage>> GiveUpAsync(IReadOnlyList<JobImage> images, CancellationToken cancellation);
}
