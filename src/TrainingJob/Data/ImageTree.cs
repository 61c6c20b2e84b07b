using VaeFunctions.Imaging;

namespace VaeFunctions.Data;

/// <summary>What was found where images were looked for.</summary>
/// <param name="Place">Where it is, so that no other place's files are taken for them.</param>
sealed record FoundFiles(string Place)
{
    /// <summary>Image files, in any order.</summary>
    public List<ImageFile> Images { get; init; } = [];

    /// <summary>Files that are no images, to be mentioned.</summary>
    public List<string> Others { get; init; } = [];

    /// <summary>Folders directly below the place that were looked into.</summary>
    public List<string> Folders { get; init; } = [];

    /// <summary>The content of <see cref="AttributeTable.FileName"/>; null where there is none.</summary>
    public string? Attributes { get; set; }
}

/// <summary>
/// The meaning of a tree of image files: one folder per label, or flat; below folders for training and for testing where there
/// are both, split at random otherwise.
/// </summary>
sealed class ImageTree
{
    readonly string source;
    readonly DataOptions options;
    readonly List<ImageFile> train, test;
    readonly bool isSplit;

    ImageTree(string source, IReadOnlyList<ImageFile> images, DataOptions options)
    {
        (this.source, this.options) = (source, options);
        var parts = images.ToLookup(file => SplitNames.PartOf(TopFolder(file.Path)));
        var testing = parts.Contains(SplitPart.Test) ? SplitPart.Test : SplitPart.Validation;
        isSplit = parts.Contains(SplitPart.Train) && parts.Contains(testing);
        var isTrainOnly = !isSplit && parts[SplitPart.Train].Count() == images.Count;
        train = isSplit || isTrainOnly ? [.. parts[SplitPart.Train].Select(Below)] : [.. images];
        test = isSplit ? [.. parts[testing].Select(Below)] : [];
        if (isSplit && train.Count + test.Count < images.Count)
        {
            var left = images.Except([.. parts[SplitPart.Train], .. parts[testing]]).ToArray();
            options.Log?.Invoke($"{source}: left out {Plural.Of(left.Length, "image")} beside the folders to train on and to "
                + $"test with, such as {left[0].Path}");
        }
        TellSplit(parts, testing);
        LeaveOutStrays();
        LeaveOutStrangers();
    }

    /// <summary>Looks at what there is, and reads some of it.</summary>
    /// <exception cref="DataException">There is no image, or none can be read.</exception>
    public static async Task<ImageSurvey> SurveyAsync(
        string source, FoundFiles found, DataOptions options, CancellationToken cancellation)
    {
        var tree = new ImageTree(source, InOrder(source, found, options), options);
        string[] labels = [.. tree.train.Select(file => TopFolder(file.Path)).Where(label => label.Length > 0).Select(Names.Key)];
        ImageFile[] used = [.. tree.train, .. tree.test];
        var trained = tree.isSplit ? tree.train.Count : Math.Max(1, used.Length - (int)(used.Length * options.TestFraction));
        return await ImageSurvey.OfFilesAsync(source, used, trained, labels, options, cancellation);
    }

    static ImageFile[] InOrder(string source, FoundFiles found, DataOptions options)
    {
        ImageFile[] all = [.. found.Images.OrderBy(file => file.Path, StringComparer.Ordinal)];
        if (found.Others.Count > 0)
            options.Log?.Invoke($"{source}: skipped {Plural.Of(found.Others.Count, "file that is", "files that are")} no "
                + $"{ImageFormats.Names}, such as "
                + found.Others.Order(StringComparer.Ordinal).First());
        if (all.Length == 0)
            throw new DataException(
                $"{source}: there is no {ImageFormats.Names}"
                + (found.Others.Count > 0 ? $" among {Plural.Of(found.Others.Count, "file")}, such as {found.Others[0]}" : "")
                + ". Put images there, in one folder per label or flat, and below train and test if they are split already.");
        return all;
    }

    /// <exception cref="DataException">There is no image, or too many lie where none can be used.</exception>
    public static async Task<DataSplit> LoadAsync(
        string source, FoundFiles found, int readers, DataOptions options, CancellationToken cancellation)
    {
        var tree = new ImageTree(source, InOrder(source, found, options), options);
        tree.TellEmptyFolders(found.Folders);
        var table = found.Attributes is null ? null : AttributeTable.Parse(source, found.Attributes, options.Log);

        ImageFile[] used = [.. tree.train, .. tree.test];
        var (shape, rows) = await ImageFiles.DecodeAsync(source, found.Place, used, readers, options, cancellation);
        var isMissing = rows.Missing.ToHashSet();
        int[] good = [.. Enumerable.Range(0, used.Length).Where(i => !isMissing.Contains(i))];
        var (labels, names) = tree.Labels([.. good.Select(i => used[i])]);
        var attributes = table?.For(source, [.. good.Select(i => used[i].FullPath)], options.Log);
        var dataset = new ImageDataset(shape, rows, labels, names, attributes, table?.Names, isMissing.Count == 0 ? null : good)
        {
            MeasuredAttributes = attributes is not null,
        };
        if (!tree.isSplit) return DataSplit.Random(dataset, source, options.TestFraction, options.Seed, options.Log);
        var trained = good.Count(i => i < tree.train.Count);
        if (trained == 0 || trained == good.Length)
            throw new DataException(
                $"{source}: no image {(trained == 0 ? "to train on" : "to test with")} can be read. Mend them.");
        int[] order = [.. Enumerable.Range(0, good.Length)];
        return DataSplit.Of(dataset.Select(order.AsSpan(0, trained)), dataset.Select(order.AsSpan(trained)), source);
    }

    /// <summary>Names the folders that are taken for a split where they are not called train and test.</summary>
    void TellSplit(ILookup<SplitPart?, ImageFile> parts, SplitPart testing)
    {
        if (!isSplit) return;
        var (training, tests) = (FoldersOf(SplitPart.Train), FoldersOf(testing));
        if ((training, tests) != ("train", "test"))
            options.Log?.Invoke($"{source}: {training} is what is trained on, {tests} what is tested with");

        string FoldersOf(SplitPart part) => string.Join(", ", parts[part].Select(file => TopFolder(file.Path)).Distinct());
    }

    /// <summary>Leaves out the few images that lie beside label folders, or the few in folders beside images that lie in
    /// none.</summary>
    /// <exception cref="DataException">They are not few.</exception>
    void LeaveOutStrays()
    {
        if (!HasLabels) return;
        var all = train.Concat(test).ToArray();
        var flat = all.Count(file => TopFolder(file.Path).Length == 0);
        var folder = TopFolder(all.First(file => TopFolder(file.Path).Length > 0).Path);
        const string remedy = "Put every image in a label folder, or none.";
        if (all.Length - flat <= options.MaxUnreadable.Of(all.Length) && flat > all.Length - flat)
            LeaveOut(file => TopFolder(file.Path).Length > 0, _ => "lies in a folder, while others lie in none", remedy);
        else
            LeaveOut(file => TopFolder(file.Path).Length == 0, _ => $"lies beside label folders such as {folder}", remedy);
    }

    /// <summary>Leaves out the few test images whose label the training images lack.</summary>
    /// <exception cref="DataException">They are not few.</exception>
    void LeaveOutStrangers()
    {
        if (!isSplit || !HasLabels) return;
        var known = train.Select(file => Names.Key(TopFolder(file.Path))).ToHashSet();
        LeaveOut(file => !known.Contains(Names.Key(TopFolder(file.Path))),
            stranger => $"is in the test part with the label {TopFolder(stranger.Path)}, which the training part lacks",
            "Add it to the images to train on, or remove it from those to test with.");
    }

    void LeaveOut(Func<ImageFile, bool> isOdd, Func<ImageFile, string> what, string remedy)
    {
        var odd = train.Concat(test).Where(isOdd).ToArray();
        if (odd.Length == 0) return;
        var all = train.Count + test.Count;
        var fault = $"{odd[0].Path} {what(odd[0])}" + (odd.Length > 1 ? $", as {odd.Length - 1:N0} others do" : "");
        if (odd.Length > options.MaxUnreadable.Of(all) || odd.Length * 2 >= all)
            throw new DataException($"{source}: {fault}. {remedy}");
        train.RemoveAll(file => isOdd(file));
        test.RemoveAll(file => isOdd(file));
        options.Log?.Invoke($"{source}: left out {odd.Length:N0} of {Plural.Of(all, "image")}: {fault}. {remedy}");
    }

    bool HasLabels => train.Exists(file => TopFolder(file.Path).Length > 0);

    /// <summary>The label of each image, and their names: those that look the same are one label, and those that differ in case
    /// alone are pointed out.</summary>
    (int[]? Labels, string[]? Names) Labels(IReadOnlyList<ImageFile> files)
    {
        if (!HasLabels) return (null, null);
        var names = LabelNames(files);
        var place = names.Index().ToDictionary(entry => Names.Key(entry.Item), entry => entry.Index);
        return ([.. files.Select(file => place[Names.Key(TopFolder(file.Path))])], names);
    }

    string[] LabelNames(IEnumerable<ImageFile> files)
    {
        var names = new List<string>();
        foreach (var same in files.Select(file => TopFolder(file.Path)).Where(name => name.Length > 0).Distinct()
            .Order(StringComparer.Ordinal).GroupBy(Names.Key))
        {
            names.Add(same.First());
            foreach (var other in same.Skip(1))
                options.Log?.Invoke($"{source}: the folders \"{same.Key}\" and \"{other}\" are one label; their names differ "
                    + $"{Names.Difference(same.First(), other)}");
        }
        foreach (var alike in names.GroupBy(name => Names.Key(name).ToUpperInvariant()).Where(group => group.Count() > 1))
            options.Log?.Invoke($"{source}: {string.Join(" and ", alike)} are different labels; "
                + "their names differ in the case of letters alone");
        return [.. names];
    }

    void TellEmptyFolders(IEnumerable<string> folders)
    {
        var filled = train.Concat(test).Select(file => TopFolder(file.Path)).ToHashSet();
        string[] empty = [.. folders.Where(folder => HasLabels && !filled.Contains(folder) && SplitNames.PartOf(folder) is null)
            .Order(StringComparer.Ordinal)];
        if (empty.Length > 0)
            options.Log?.Invoke($"{source}: no image in the {(empty.Length == 1 ? "folder" : $"{empty.Length} folders")} "
                + $"{string.Join(", ", empty.Take(10))}, which {(empty.Length == 1 ? "is no label" : "are no labels")}");
    }

    static ImageFile Below(ImageFile file) => file with { Path = file.Path[(file.Path.IndexOf('/') + 1)..] };

    /// <summary>The first folder of a path; empty where it lies in none.</summary>
    static string TopFolder(string path) => path.IndexOf('/') is > 0 and var slash ? path[..slash] : "";
}
