using VaeFunctions.Imaging;

namespace VaeFunctions.Data;

/// <summary>
/// The meaning of a tree of image files: one folder per label, or flat; below <c>train</c> and <c>test</c> where there are both,
/// split at random otherwise.
/// </summary>
static class ImageTree
{
    /// <param name="source">What messages begin with.</param>
    /// <param name="place">Where the files are, so that no other place's are taken for them.</param>
    /// <param name="files">In any order; they are taken in the ordinal order of their paths.</param>
    /// <param name="others">Files that are no images, to be mentioned.</param>
    /// <exception cref="DataException">There is no image, or labels are used for a part only.</exception>
    public static async Task<DataSplit> LoadAsync(
        string source, string place, IEnumerable<ImageFile> files, IReadOnlyList<string> others, int readers, DataOptions options,
        CancellationToken cancellation)
    {
        var all = files.OrderBy(file => file.Path, StringComparer.Ordinal).ToArray();
        if (others.Count > 0)
            options.Log?.Invoke(
                $"{source}: skipped {others.Count:N0} files that are no {ImageFormats.Names}, such as {others[0]}");
        if (all.Length == 0)
            throw new DataException(
                $"{source}: there is no {ImageFormats.Names}"
                + (others.Count > 0 ? $" among {others.Count:N0} files, such as {others[0]}" : "")
                + ". Put images there, in one folder per label or flat, and below train and test if they are split already.");

        var train = Below("train/", all);
        var test = Below("test/", all);
        var isSplit = train.Length > 0 && test.Length > 0;
        if (isSplit && train.Length + test.Length < all.Length)
            options.Log?.Invoke($"{source}: left out {all.Length - train.Length - test.Length:N0} images beside train and test");
        if (!isSplit && train.Length == all.Length) all = train;
        if (isSplit) all = [.. train, .. test];

        var labelNames = all.Select(file => LabelOf(file.Path)).Distinct().Order(StringComparer.Ordinal).ToArray();
        if (labelNames[0].Length == 0 && labelNames.Length > 1)
            throw new DataException(
                $"{source}: {all.First(file => LabelOf(file.Path).Length == 0).Path} lies beside label folders "
                + $"such as {labelNames[1]}. Put every image in a label folder, or none.");
        var labels = labelNames[0].Length == 0
            ? null
            : Array.ConvertAll(all, file => Array.BinarySearch(labelNames, LabelOf(file.Path), StringComparer.Ordinal));
        if (isSplit && labels is not null
            && labels.AsSpan(train.Length).IndexOfAnyExcept(labels.AsSpan(0, train.Length)) is >= 0 and var at)
            throw new DataException(
                $"{source}: test has the label {labelNames[labels[train.Length + at]]}, which train lacks. "
                + "Add it to train, or remove it from test.");

        var (shape, rows) = await ImageFiles.DecodeAsync(source, place, all, readers, options, cancellation);
        var dataset = new ImageDataset(shape, rows, labels, labels is null ? null : labelNames);
        if (!isSplit) return DataSplit.Random(dataset, source, options.TestFraction, options.Seed);
        var order = Enumerable.Range(0, all.Length).ToArray();
        return DataSplit.Of(dataset.Select(order.AsSpan(0, train.Length)), dataset.Select(order.AsSpan(train.Length)), source);
    }

    static ImageFile[] Below(string folder, ImageFile[] files) =>
        [.. files.Where(file => file.Path.StartsWith(folder, StringComparison.Ordinal))
            .Select(file => file with { Path = file.Path[folder.Length..] })];

    /// <summary>The first folder of a path; empty where it lies in none.</summary>
    static string LabelOf(string path) => path.IndexOf('/') is > 0 and var slash ? path[..slash] : "";
}
