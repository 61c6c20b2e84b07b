using System.Globalization;
using VaeFunctions.Data.Faces;
using VaeFunctions.Registry;

namespace VaeFunctions.Data;

/// <summary>Where training data comes from, by name.</summary>
public static class DataSources
{
    /// <summary>The kinds of source, with an example of each, for messages and help texts.</summary>
    public const string Kinds =
        "faces, faces:2000, folder:pictures, idx:data/mnist, cifar10:data/cifar-10-batches-bin, blob:training/cats";

    /// <summary>Loads a source such as <c>folder:pictures</c> whole, split into training and test images of one shape.</summary>
    /// <exception cref="DataException">
    /// The source is unknown or absent, or its data cannot be used; the message says why and what helps.
    /// </exception>
    public static async Task<DataSplit> LoadAsync(string source, DataOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        if (options.TestFraction is not (> 0 and < 1))
            throw new DataException($"The test fraction is {options.TestFraction}; it must be above 0 and below 1, such as 0.1.");
        var (kind, place) = Parse(source);
        try
        {
            var split = kind switch
            {
                "faces" => FaceSource.Load(source, FaceCount(source, place), options, cancellation),
                "folder" => await FolderSource.LoadAsync(source, place, options, cancellation),
                "idx" => await Task.Run(() => IdxSource.Load(source, place, options, cancellation), cancellation),
                "cifar10" => await Task.Run(() => CifarSource.Load(source, place, options, cancellation), cancellation),
                "blob" => await BlobSource.LoadAsync(source, place, options, cancellation),
                _ => throw new DataException($"There is no data source \"{kind}\". The kinds are: {Kinds}."),
            };
            if (options.Binarize != BinarizationKind.None)
            {
                var drawn = split.Test.Count + (options.Binarize == BinarizationKind.Static ? split.Train.Count : 0L);
                options.CheckMemory(source, drawn, split.Train.Shape);
            }
            split = Binarization.Apply(split, options.Binarize, options.Seed);
            options.Log?.Invoke(
                $"{source}: {Plural.Of(split.Train.Count, "image")} to train on and {split.Test.Count:N0} to test with, "
                + $"{split.Train.Shape}"
                + (split.Train.Labels is null ? "" : $", {Plural.Of(split.Train.LabelNames.Count, "label")}"));
            if (split.Test.Count < AnomalyCalibration.EnoughImages)
                options.Log?.Invoke($"{source}: figures of {Plural.Of(split.Test.Count, "test image")} say little; "
                    + $"{AnomalyCalibration.EnoughImages} or more are enough to judge by, and to say what is anomalous");
            return split;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or DllNotFoundException)
        {
            throw new DataException($"{source}: {error.Message}", error);
        }
    }

    /// <summary>Looks at the images of a source, before anything is known of the model that will take them.</summary>
    /// <exception cref="DataException">The source is unknown or absent, or holds no image that can be read.</exception>
    public static async Task<ImageSurvey> SurveyAsync(
        string source, DataOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        var (kind, place) = Parse(source);
        options = options with { Log = null }; // what is odd is said when the images are loaded
        try
        {
            return kind switch
            {
                "folder" => await ImageTree.SurveyAsync(
                    source, FolderSource.Find(source, place, options, cancellation), options, cancellation),
                "blob" => await ImageTree.SurveyAsync(
                    source, await BlobSource.FindAsync(source, place, options, cancellation), options, cancellation),
                _ => ImageSurvey.Of(await LoadAsync(source, options, cancellation)),
            };
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException
            or DllNotFoundException or StorageException)
        {
            throw new DataException($"{source}: {error.Message}", error);
        }
    }

    /// <summary>The kind of a source, and where it is.</summary>
    static (string Kind, string Place) Parse(string source)
    {
        var (kind, place) = source.Split(':', 2) is [var before, var after] ? (before, after) : (source, "");
        if (kind is not "faces" && place.Length == 0)
            throw new DataException(kind is "folder" or "idx" or "cifar10" or "blob"
                ? $"The data source \"{source}\" names no place. Examples: {Kinds}."
                : $"There is no data source \"{source}\"; "
                    + $"{(Directory.Exists(source) ? $"did you mean folder:{source}? The" : "the")} kinds are: {Kinds}.");
        if (kind is "folder" or "idx" or "cifar10") place = AtHome(source, place);
        return (kind, place);
    }

    /// <summary>A path that begins with ~ below the user's folder, which no shell puts there behind <c>folder:</c>.</summary>
    static string AtHome(string source, string place)
    {
        if (!place.StartsWith('~') || Directory.Exists(place)) return place;
        return UsersFolder.WrittenOut(place) is var path && path != place
            ? path
            : throw new DataException($"{source}: {place.Split('/')[0]} is another user's folder, which is not looked up; "
                + "write its path, such as folder:/home/NAME/pictures. Your own may be written ~/pictures.");
    }

    static int FaceCount(string source, string place) =>
        place.Length == 0 ? FaceSource.DefaultCount
        : int.TryParse(place, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count >= 8 ? count
        : throw new DataException($"{source}: \"{place}\" is no number of faces; give 8 or more, such as faces:2000.");
}
