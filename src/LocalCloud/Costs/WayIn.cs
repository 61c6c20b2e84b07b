namespace VaeFunctions.LocalCloud.Costs;

/// <summary>A way of images through the functions, and what it takes. <see cref="All"/> is the one place of these figures; a test
/// runs each way and counts.</summary>
/// <param name="Operation">encode, which makes no pictures, or reconstruct, as all that do.</param>
/// <param name="Format">How a job writes: files, parquet or tar; the inbox writes files.</param>
/// <param name="Image">Operations for each image.</param>
/// <param name="Slice">Operations for a slice of a job, beside those of its images.</param>
/// <param name="SliceSize">Images of a slice; 0 where there are none.</param>
/// <param name="Events">Operations of Event Grid for each image.</param>
/// <param name="Rate">Images a second of a replica with 2 vCPU, measured with the storage emulator on the same two cores; null
/// where nobody has measured it.</param>
sealed record WayIn(
    string Name, string Operation, string Format, Operations Image, Operations Slice, int SliceSize, double Events, double? Rate)
{
    /// <summary>As the functions' settings Serving__JobSliceSize and Serving__JobShardSize are unless given, which a test
    /// holds.</summary>
    internal const int LooseSlice = 200, Shard = 2500;

    /// <summary>Blobs in a page of a listing.</summary>
    const double Page = 5000;

    /// <summary>What cutting a slice, taking its message, and noting that it is done takes.</summary>
    static readonly Operations slice = new(Writes: 3, Lists: 2, Reads: 8, Messages: 3);

    /// <summary>The same where results are one blob a slice, and the images of a slice lie in one archive, which is opened and
    /// read in parts of 4 MB: two to list a slice of small JPEGs, two for their bytes.</summary>
    static readonly Operations shard = slice + new Operations(Writes: 1, Reads: 4, Others: 1);

    public static IReadOnlyList<WayIn> All { get; } =
    [
        new("inbox", "reconstruct", "files",
            new(Writes: 2, Reads: 1, Others: 4, Messages: 3), default, 0, Events: 2, Rate: 40),
        new("job, loose images", "encode", "files",
            new(Writes: 1, Lists: 1 / Page, Reads: 1), slice, LooseSlice, Events: 0, Rate: 71),
        new("job, loose images", "reconstruct", "files",
            new(Writes: 2, Lists: 1 / Page, Reads: 1), slice, LooseSlice, Events: 0, Rate: null),
        new("job, loose images", "encode", "parquet",
            new(Lists: 1 / Page, Reads: 1), slice + new Operations(Writes: 1), Shard, Events: 0, Rate: 220),
        new("job, archive", "encode", "parquet", default, shard, Shard, Events: 0, Rate: 690),
        new("job, archive", "reconstruct", "tar", default, shard, Shard, Events: 0, Rate: null),
    ];

    /// <summary>Operations for so many images.</summary>
    public Operations Of(double images) => images * Image + (SliceSize > 0 ? Math.Ceiling(images / SliceSize) : 0) * Slice;
}
