namespace VaeFunctions.Serving;

/// <summary>What results/{model}/{name}.json says of an image that was dropped.</summary>
/// <param name="Model">The model that it was dropped for.</param>
/// <param name="Version">The version that answered.</param>
/// <param name="Source">The image's blob, inbox/….</param>
/// <param name="SourceETag">Which content of that blob it was.</param>
/// <param name="Label">For conditional models, the label that its folder was taken for.</param>
/// <param name="OriginalSize">The size that the image had, such as 640x480.</param>
/// <param name="Resized">Whether that is not the model's size.</param>
/// <param name="Error">The mean squared difference between image and reconstruction, pixels in [0, 1].</param>
/// <param name="Latent">The posterior's mean.</param>
/// <param name="LogVariance">How sure the posterior is.</param>
public sealed record InboxResult(
    string Model, string Version, string Source, string SourceETag, string? Label, string OriginalSize, bool Resized,
    double Error, float[] Latent, LogVarianceSummary LogVariance);

/// <summary>What results/{model}/{name}.json says of an archive that was dropped, once all its images are done with.</summary>
/// <param name="Model">The model that it was dropped for.</param>
/// <param name="Source">The archive's blob, inbox/….</param>
/// <param name="SourceETag">Which content of that blob it was.</param>
/// <param name="Label">For conditional models, the label that its folder was taken for.</param>
/// <param name="Job">The bulk job that did it.</param>
/// <param name="Results">The folder of the images' results, by their names in the archive.</param>
/// <param name="Images">How many it has.</param>
/// <param name="Done">Images with a result.</param>
/// <param name="Failed">Images that could not be processed.</param>
/// <param name="Failures">Where those are listed, each with its reason.</param>
public sealed record ArchiveResult(string Model, string Source, string SourceETag, string? Label, string Job, string Results,
    long Images, long Done, long Failed, string Failures);

/// <summary>The log variances of a posterior, over all latents.</summary>
public sealed record LogVarianceSummary(float Least, float Mean, float Most);

/// <summary>What rejected/{model}/{name}.json says of an image that could not be processed.</summary>
/// <param name="Source">The image's blob, inbox/….</param>
/// <param name="Kept">Where its content was copied to, rejected/….</param>
/// <param name="SourceETag">Which content of that blob it was.</param>
/// <param name="Bytes">The content's length.</param>
/// <param name="Reason">What was found, what was expected and how to mend it.</param>
public sealed record Rejection(string Source, string Kept, string SourceETag, long Bytes, string Reason);
