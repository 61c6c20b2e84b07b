using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.LocalCloud;

/// <summary>A file and the name that it gets in the inbox.</summary>
readonly record struct DropItem(string File, string Name);

/// <summary>The images and archives to drop: files as they are named, folders with what is in them, each under a name of its
/// own.</summary>
/// <param name="Ignored">Files that are neither.</param>
/// <param name="LeftOut">What cannot be dropped, each with its reason.</param>
sealed record DropList(IReadOnlyList<DropItem> Items, int Ignored, IReadOnlyList<string> LeftOut)
{
    /// <summary>The most that is uploaded of one image, in bytes.</summary>
    public const long MaxFileBytes = 64L << 20;

    /// <summary>The same for an archive, which is read whole.</summary>
    public const long MaxArchiveBytes = 1L << 30;

    /// <exception cref="LocalCloudException">There is no image that can be dropped; says why of each.</exception>
    public static DropList From(IReadOnlyList<string> paths)
    {
        var ignored = 0;
        var (items, leftOut) = (new List<DropItem>(), new List<string>());
        foreach (var path in paths.Select(Path.GetFullPath).Distinct())
        {
            if (File.Exists(path))
                items.Add(new DropItem(path, Path.GetFileName(path)));
            else if (Directory.Exists(path))
            {
                var files = Directory.GetFiles(
                    path, "*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 16 })
                    .Select(file => new DropItem(file, Path.GetRelativePath(path, file)))
                    .Where(item => !SystemLitter.Holds(item.Name)).ToList();
                var images = files
                    .Where(item => ImageFormats.IsImageName(item.File) || ArchiveNames.IsArchive(item.File)).ToList();
                ignored += files.Count - images.Count;
                items.AddRange(images);
            }
            else
                leftOut.Add($"{path}: there is no such file or folder.");
        }
        if (items.Count == 0 && leftOut.Count == 0)
            throw LocalCloudException.WrongInput(
                $"No images in {string.Join(", ", paths)}: looked for *{string.Join(", *", ImageFormats.Endings)}.");

        var distinct = items.Count == 0
            ? [] : Distinct([.. items.DistinctBy(item => item.File).OrderBy(item => item.File, StringComparer.Ordinal)]);
        var good = distinct.Where(item => CanBeDropped(item, leftOut)).ToList();
        return good.Count > 0
            ? new DropList(good, ignored, leftOut)
            : throw LocalCloudException.WrongInput($"Nothing can be dropped. {string.Join('\n', leftOut.Take(20))}");
    }

    /// <summary>One file that cannot be uploaded is named, and the others are dropped.</summary>
    static bool CanBeDropped(DropItem item, List<string> leftOut)
    {
        var why = !BlobStores.IsPath($"inbox/MODEL/{item.Name}", out _)
                ? "its name cannot be a blob's (a backslash, a control character, or a folder called . or ..). Rename it."
            : ArchiveNames.IsArchive(item.File)
                ? new FileInfo(item.File).Length > MaxArchiveBytes
                    ? $"it has more than {MaxArchiveBytes >> 30} GiB. Split it, or upload it to the inbox by another tool." : null
            : new FileInfo(item.File).Length > MaxFileBytes
                ? $"it has more than {MaxFileBytes >> 20} MiB, which is no image for an inbox."
            : null;
        if (why is not null) leftOut.Add($"{item.File}: {why}");
        return why is null;
    }

    // Where two files share a name, all keep their path below the folder that they have in common.
    static List<DropItem> Distinct(List<DropItem> items)
    {
        if (items.DistinctBy(item => item.Name).Count() == items.Count)
            return items;
        var common = Path.GetDirectoryName(items[0].File)!;
        while (!items.All(item => item.File.StartsWith(common == "/" ? common : common + "/", StringComparison.Ordinal)))
            common = Path.GetDirectoryName(common)!;
        return [.. items.Select(item => item with { Name = Path.GetRelativePath(common, item.File) })];
    }
}
