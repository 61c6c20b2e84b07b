namespace VaeFunctions.Serving;

/// <summary>What requests for bulk jobs may hold.</summary>
static class JobFields
{
    /// <summary>The most that one job may draw.</summary>
    public const int MostSamples = 10_000_000;

    public static readonly Field Operation = Field.Choice("operation",
        "What to do with each image; sample takes none and draws some.", [.. JobOperation.Names]);

    public static readonly Field Input = new("input", FieldType.Text,
        "The prefix of the images' paths, such as inbox/faces/2026, or an archive, or the prefix of several: .zip or .tar.");

    public static readonly Field Output = new("output", FieldType.Text,
        "The folder for the results, such as results/faces/2026/.");

    public static readonly Field Format = Field.Choice("format",
        "Files for each result; or, for some thousand each, Parquet files without pictures, or TARs.",
        Job.Files, Job.Parquet, Job.Tar);

    public static readonly Field Count = Field.Whole("count", 1, MostSamples,
        "For augment variants of each image, 8 unless given, at most Serving__MaxSampleCount; "
            + "for sample how many, 16 unless given.");

    /// <summary>What any job takes.</summary>
    public static readonly Field[] Common = [Operation, Output, Format, Field.Label, Field.Version];

    public static readonly Field[] All =
    [
        Operation, Input, Output, Format, Count, AugmentFunction.Spread, SampleFunction.Temperature, Field.Seed,
        EditFunction.Concepts, EditFunction.Strengths, Field.Examples, Field.Direction, Field.Label, Field.Version,
    ];
}
