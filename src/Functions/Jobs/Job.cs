namespace VaeFunctions.Serving;

/// <summary>What a bulk job is to do; never changed once written.</summary>
/// <param name="Input">The prefix of the images' paths, container/….</param>
/// <param name="Output">The folder of the results, container/…/.</param>
/// <param name="Label">For conditional models, the label of all images.</param>
public sealed record Job(string Id, string Model, string Operation, string Input, string Output, string? Label, int SliceSize, DateTimeOffset Created);

/// <summary>A message of the queue: a slice of a job to work off, or, without one, the job's images to list and cut into slices.</summary>
public sealed record JobMessage(string Model, string Job, int? Slice = null);

/// <summary>An image of a slice.</summary>
public sealed record JobImage(string Path);

/// <summary>How far the listing of a job's images is.</summary>
public sealed record JobListing(int Slices, long Images, bool Finished);

/// <summary>An image that could not be processed, and why.</summary>
public sealed record JobFailure(string Path, string Reason);

/// <summary>Where a job is.</summary>
/// <param name="State">listing, running, completed, cancelled or failed.</param>
/// <param name="Images">Those listed so far; all of them once <paramref name="State"/> is not listing.</param>
/// <param name="Failures">Where the failures are listed, once the job is completed.</param>
public sealed record JobStatus(
    string Id, string Model, string State, string Operation, string Input, string Output, DateTimeOffset Created, long Images, long Done, long Failed, long Remaining, string? Failures, string? Error);
