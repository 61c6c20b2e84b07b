using VaeFunctions.Imaging;
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

    /// <summary>Takes an image's result; called from several threads.</summary>
    /// <param name="place">The image's number in the slice.</param>
    /// <param name="picture">What the operation makes of it; null for those that make none.</param>
    /// <exception cref="ArgumentException">The image's name cannot be kept.</exception>
    public abstract Task AddAsync(int place, JobImage image, JobResult result, Image? picture, CancellationToken cancellation);

    /// <summary>Writes what has not been written yet; then the slice's results are complete.</summary>
    public abstract Task CompleteAsync(IReadOnlyList<JobImage> failed, CancellationToken cancellation);

    /// <summary>Leaves a slice that failed too often, and says which of its images have a result nevertheless.</summary>
    public abstract Task<IReadOnlySet<JobImage>> GiveUpAsync(IReadOnlyList<JobImage> images, CancellationToken cancellation);
}
