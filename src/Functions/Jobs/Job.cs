namespace VaeFunctions.Serving;

/// <summary>What a bulk job is to do; never changed once written.</summary>
/// <param name="Input">The prefix of the images' paths, container/….</param>
/// <param name="Output">The folder of the results, container/…/.</param>
/// <param name="Label">For conditional models, the label of all images.</param>
/// <param name="Format">How results are written: files, parquet or tar.</param>
public sealed record Job(string Id, string Model, string Operation, string Input, string Output, string? Label, int SliceSize,
    DateTimeOffset Created, string Format = Job.Files)
{
    public const string Files = "files", Parquet = "parquet", Tar = "tar";

    /// <summary>An image's place under the input's folder.</summary>
    public string NameOf(JobImage image) => image.Path[(Input.LastIndexOf('/') + 1)..];
}

/// <summary>A message of the queue: a slice of a job to work off, or, without one, the job's images to list and cut into
/// slices.</summary>
public sealed record JobMessage(string Model, string Job, int? Slice = null);

/// <summary>An image of a slice.</summary>
/// <param name="Path">Its blob, or the archive's, a slash and the name inside.</param>
/// <param name="Within">Where it is in an archive; null for a blob of its own.</param>
/// <param name="Refused">Why it is not read; null where it is.</param>
public sealed record JobImage(string Path, ArchivePlace? Within = null, string? Refused = null);

/// <summary>Where an archive holds an image.</summary>
/// <param name="Archive">The archive's blob.</param>
/// <param name="At">In a TAR the offset of its bytes, in a ZIP its number among the entries.</param>
/// <param name="Length">In bytes, unpacked.</param>
/// <param name="ETag">The archive's when it was listed; null in jobs of earlier builds.</param>
public sealed record ArchivePlace(string Archive, long At, long Length, string? ETag = null);

/// <summary>How far the listing of a job's images is.</summary>
public sealed record JobListing(int Slices, long Images, bool Finished);

/// <summary>An image that could not be processed, and why.</summary>
public sealed record JobFailure(string Path, string Reason);

/// <summary>What a job says of an image: in {output}….json, or in a row.</summary>
/// <param name="Job">The job's id.</param>
/// <param name="Source">The image's blob.</param>
/// <param name="Label">For conditional models, the job's label.</param>
/// <param name="OriginalSize">The size that the image had, such as 640x480.</param>
/// <param name="Resized">Whether that is not the model's size.</param>
/// <param name="Error">The mean squared difference between image and reconstruction, pixels in [0, 1].</param>
/// <param name="Percentile">The error's place among those of the version's test images, 0 to 1; absent where the version is not
/// calibrated.</param>
/// <param name="Verdict">ordinary, unusual, anomalous, or not calibrated.</param>
/// <param name="CalibratedOn">How many test images the percentile goes by, or there would be to go by.</param>
/// <param name="Latent">The posterior's mean; absent for the operation anomaly.</param>
/// <param name="LogVariance">For the operation encode.</param>
public sealed record JobResult(
    string Model, string Version, string Job, string Source, string? Label, string OriginalSize, bool Resized, double Error,
    double? Percentile, string Verdict, int CalibratedOn, float[]? Latent, float[]? LogVariance);

/// <summary>A job that has begun.</summary>
/// <param name="Status">The path that says where it is.</param>
/// <param name="Job">Where it is now.</param>
public sealed record JobStarted(string Id, string Status, JobStatus Job);

/// <summary>Where a job is.</summary>
/// <param name="State">listing, running, completed, cancelled or failed.</param>
/// <param name="Label">For conditional models, the label of all images.</param>
/// <param name="Images">Those listed so far; all of them once <paramref name="State"/> is not listing.</param>
/// <param name="Failures">Where the failures are listed, once the job is completed.</param>
/// <param name="Done">Images with a result.</param>
/// <param name="Failed">Images that could not be processed.</param>
/// <param name="Error">Why the whole job failed.</param>
public sealed record JobStatus(
    string Id, string Model, string State, string Operation, string Input, string Output, string Format, string? Label,
    DateTimeOffset Created, long Images, long Done, long Failed, long Remaining, string? Failures, string? Error);
