using VaeFunctions.Imaging;

namespace VaeFunctions.LocalCloud;

/// <summary>A file and the name that it gets in the inbox.</summary>
readonly record struct DropItem(string File, string Name);

/// <summary>The images to drop: files as they are named, folders with the images in them, each under a name of its own.</summary>
sealed record DropList(IReadOnlyList<DropItem> Items, int Ignored)
{
    /// <summary>The most that is uploaded of one file, in bytes.</summary>
    public const long MaxFileBytes = 64L << 20;

    /// <exception cref="LocalCloudException">A path leads nowhere, a file is too large, or there is no image at all.</exception>
    public static DropList From(IReadOnlyList<string> paths)
    {
        var ignored = 0;
        var items = new List<DropItem>();
        foreach (var path in paths.Select(Path.GetFullPath).Distinct())
        {
            if (File.Exists(path))
                items.Add(new DropItem(path, Path.GetFileName(path)));
            else if (Directory.Exists(path))
            {
                var files = Directory.GetFiles(
                    path, "*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 16 });
                var images = files.Where(ImageFormats.IsImageName).ToList();
                ignored += files.Length - images.Count;
                items.AddRange(images.Select(file => new DropItem(file, Path.GetRelativePath(path, file))));
            }
            else
                throw LocalCloudException.WrongInput($"No file or folder {path}.");
        }

        if (items.Count == 0)
            throw LocalCloudException.WrongInput(
                $"No images in {string.Join(", ", paths)}: looked for *{string.Join(", *", ImageFormats.Endings)}.");
        if (items.FirstOrDefault(item => new FileInfo(item.File).Length > MaxFileBytes) is { File: not null } large)
            throw LocalCloudException.WrongInput(
                $"{large.File} has more than {MaxFileBytes >> 20} MiB; that is no image for an inbox.");
        return new DropList(
            Distinct([.. items.DistinctBy(item => item.File).OrderBy(item => item.File, StringComparer.Ordinal)]), ignored);
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
