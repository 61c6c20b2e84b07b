namespace VaeFunctions.Serving;

/// <summary>What a bulk job is to do; never changed once written.</summary>
/// <param name="Input">The prefix of the images' paths, container/…; empty where the operation takes none.</param>
/// <param name="Output">The folder of the results, container/…/.</param>
/// <param name="Label">For conditional models, the label of all images.</param>
/// <param name="Format">How results are written: files, parquet or tar.</param>
public sealed record Job(string Id, string Model, string Operation, string Input, string Output, string? Label, int SliceSize,
    DateTimeOffset Created, string Format = Job.Files)
{
    public const string Files = "files", Parquet = "parquet", Tar = "tar";

    /// <summary>The version that does all of it; null for whichever serves.</summary>
    public string? Version { get; init; }

    /// <summary>What the operation was given beside.</summary>
    public JobParameters Parameters { get; init; } = new();

    /// <summary>The archive of the inbox that the job is for, and answers; null for other jobs.</summary>
    public DroppedArchive? Dropped { get; init; }

    /// <summary>An image's place under the input's folder, or in the archive that was dropped.</summary>
    public string NameOf(JobImage image) => image.Path[(Dropped is not null && image.Within is not null ? Input.Length + 1
        : Input.LastIndexOf('/') + 1)..];

    /// <summary>What an image's results are called: as the image itself, numbered where there are several.</summary>
    public IEnumerable<string> NamesOf(JobImage image)
    {
        var (name, results) = (NameOf(image), JobOperation.Of(Operation).ResultsOfEach(Parameters));
        return results == 1 ? [name] : Enumerable.Range(1, results).Select(number => $"{name}-{number}");
    }
}

/// <summary>The content of an archive in the inbox.</summary>
/// <param name="Bytes">Its length.</param>
public sealed record DroppedArchive(string ETag, long Bytes);

/// <summary>What a bulk job's operation was given; what is absent it does not take.</summary>
public sealed record JobParameters
{
    /// <summary>For augment variants of each image, for sample images.</summary>
    public int? Count { get; init; }

    /// <summary>How far variants stray.</summary>
    public float? Spread { get; init; }

    /// <summary>What repeats the job.</summary>
    public long? Seed { get; init; }

    /// <summary>How far from the mean samples are drawn.</summary>
    public float? Temperature { get; init; }

    /// <summary>Multiples of the edit, a result of each image for each.</summary>
    public float[]? Strengths { get; init; }

    /// <summary>What strength 1 adds to a latent: the sum of the concepts.</summary>
    public float[]? Edit { get; init; }

    /// <summary>The labels that take turns in samples.</summary>
    public string[]? Labels { get; init; }
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

/// <summary>What a job says of a result: in {output}….json, or in a row.</summary>
/// <param name="Job">The job's id.</param>
/// <param name="Source">The image's blob; absent for the operation sample.</param>
/// <param name="Label">For conditional models, the image's label.</param>
/// <param name="OriginalSize">The size that the image had, such as 640x480.</param>
/// <param name="Resized">Whether that is not the model's size.</param>
/// <param name="Error">For reconstruct, encode and anomaly, as what follows up to <paramref name="CalibratedOn"/>: the mean
/// squared difference between image and reconstruction, pixels in [0, 1].</param>
/// <param name="Percentile">The error's place among those of the version's test images, 0 to 1; absent where the version is not
/// calibrated.</param>
/// <param name="CodeScore">How unlikely the image's code is, −log p in nats; absent where nothing says which are likely.</param>
/// <param name="CodePercentile">That score's place among those of the version's test images, 0 to 1; absent where there is
/// none.</param>
/// <param name="Verdict">ordinary, unusual, anomalous, or not calibrated.</param>
/// <param name="Strangest">What the verdict goes by: error, code, contrast, sharpness or colour; absent where there is no
/// verdict, and where it goes by the error alone.</param>
/// <param name="CalibratedOn">How many test images the percentile goes by, or there would be to go by.</param>
/// <param name="Latent">The posterior's mean or, for augment, edit and sample, what the picture was decoded from; absent for the
/// operation anomaly.</param>
/// <param name="LogVariance">For the operation encode.</param>
/// <param name="Seed">What draws it again: for augment with this image alone, for sample with as many images.</param>
/// <param name="Strength">For the operation edit, the multiple of the whole edit.</param>
public sealed record JobResult(
    string Model, string Version, string Job, string? Source, string? Label, string? OriginalSize, bool? Resized,
    double? Error, double? Percentile, double? CodeScore, double? CodePercentile, string? Verdict, string? Strangest,
    int? CalibratedOn, float[]? Latent, float[]? LogVariance, long? Seed, float? Strength)
{
    /// <summary>What every operation says of an image.</summary>
    internal static JobResult Of(Job job, JobInput image, ModelSession session) => new(session.Model, session.Version, job.Id,
        image.Fitted is null ? null : image.Image.Path, job.Label, image.Fitted?.OriginalSize, image.Fitted?.Resized,
        null, null, null, null, null, null, null, null, null, null, null);
}

/// <summary>A job that has begun.</summary>
/// <param name="Status">The path that says where it is.</param>
/// <param name="Job">Where it is now.</param>
public sealed record JobStarted(string Id, string Status, JobStatus Job);

/// <summary>Where a job is.</summary>
/// <param name="State">listing, running, completed, cancelled or failed.</param>
/// <param name="Input">The prefix of the images' paths; absent for the operation sample.</param>
/// <param name="Version">The version that does all of it; absent where it is whichever serves.</param>
/// <param name="Label">For conditional models, the label of all images.</param>
/// <param name="Images">Those listed so far; all of them once <paramref name="State"/> is not listing.</param>
/// <param name="Failures">Where the failures are listed, once the job is completed.</param>
/// <param name="Done">Images with a result.</param>
/// <param name="Failed">Images that could not be processed.</param>
/// <param name="Error">Why the whole job failed.</param>
public sealed record JobStatus(
    string Id, string Model, string State, string Operation, string? Input, string Output, string Format, string? Label,
    string? Version, JobParameters Parameters, DateTimeOffset Created, long Images, long Done, long Failed, long Remaining,
    string? Failures, string? Error);
