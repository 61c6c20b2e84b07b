using VaeFunctions.Imaging;

namespace VaeFunctions.Data;

/// <summary>What some images are like, as far as it decides how a model for them is made.</summary>
/// <param name="Images">How many there are, those to test with included.</param>
/// <param name="Train">How many of them there are to train on.</param>
/// <param name="Labels">How many training images each label has, the fewest first; empty where there are no labels.</param>
/// <param name="Width">The median, in pixels, of those that were looked at; so is the height.</param>
/// <param name="OneSize">Whether all that were looked at have that size.</param>
/// <param name="Coloured">Whether they have colours, and not only channels for them.</param>
/// <param name="Extremes">The part of their values that are nearly 0 or nearly 255.</param>
/// <param name="Looked">How many were looked at.</param>
public sealed record ImageSurvey(
    int Images, int Train, IReadOnlyList<int> Labels, int Width, int Height,
    bool OneSize, bool Coloured, double Extremes, int Looked)
{
    /// <summary>Images that are looked at, from all over the set.</summary>
    const int Most = 200;

    /// <summary>Channels of a grey image differ by no more, on the average, after lossy compression.</summary>
    const double GreyDifference = 3;

    /// <summary>One coloured image in so many makes the set one of colours.</summary>
    const int OneInSoMany = 50;

    const int NearlyExtreme = 24;

    static readonly ImageTarget Small = new(new(64, 64, 3));

    /// <summary>Of images that are loaded.</summary>
    internal static ImageSurvey Of(DataSplit split)
    {
        ImageDataset train = split.Train;
        Look[] looks = [.. Places(train.Count).Select(i => Look.At(train.Image(i), train.Shape.Width, train.Shape.Height))];
        int[] labels = train.Labels is null
            ? []
            : [.. train.Labels.GroupBy(label => label).Select(group => group.Count()).Order()];
        return Of(train.Count + split.Test.Count, train.Count, labels, looks);
    }

    /// <param name="train">How many of the files there are to train on.</param>
    /// <param name="labels">The label of each training image; empty where there are none.</param>
    /// <exception cref="DataException">None that was looked at can be read.</exception>
    internal static async Task<ImageSurvey> OfFilesAsync(
        string source, ImageFile[] files, int train, string[] labels, DataOptions options, CancellationToken cancellation)
    {
        int[] places = Places(files.Length);
        var looks = new Look?[places.Length];
        string? fault = null;
        await Parallel.ForAsync(0, places.Length, cancellation, async (i, token) =>
        {
            try
            {
                var fitted = ImageCodec.DecodeTo(Small, await files[places[i]].Read(token), options.Limits);
                looks[i] = Look.At(fitted.Image, fitted.OriginalWidth, fitted.OriginalHeight);
            }
            catch (Exception broken) when (broken is ImageFormatException or IOException or UnauthorizedAccessException)
            {
                fault = $"{files[places[i]].Path}: {broken.Message}"; // how many there are is counted when all are loaded
            }
        });
        Look[] read = [.. looks.OfType<Look>()];
        if (read.Length == 0)
            throw new DataException($"{source}: of {files.Length:N0} images, none of the {places.Length:N0} that were looked at "
                + $"can be read, such as {fault} Mend or remove them.");
        return Of(files.Length, train, [.. labels.GroupBy(label => label).Select(group => group.Count()).Order()], read);
    }

    static ImageSurvey Of(int images, int train, int[] labels, Look[] looks)
    {
        var (width, height) = (Median(looks.Select(look => look.Width)), Median(looks.Select(look => look.Height)));
        return new(images, train, labels, width, height, looks.All(look => look.Width == width && look.Height == height),
            looks.Count(look => look.Coloured) * OneInSoMany >= looks.Length, looks.Average(look => look.Extremes), looks.Length);
    }

    static int[] Places(int count) =>
        [.. Enumerable.Range(0, Math.Min(Most, count)).Select(i => (int)((long)i * count / Math.Min(Most, count)))];

    static int Median(IEnumerable<int> values) => values.Order().ToArray() is var sorted ? sorted[sorted.Length / 2] : 0;

    sealed record Look(int Width, int Height, bool Coloured, double Extremes)
    {
        public static Look At(Image image, int width, int height)
        {
            var pixels = image.Pixels;
            long difference = 0;
            for (var i = 0; image.Channels == 3 && i < pixels.Length; i += 3)
                difference += Math.Abs(pixels[i] - pixels[i + 1]) + Math.Abs(pixels[i + 1] - pixels[i + 2]);
            return new(width, height, difference / (2.0 * image.Width * image.Height) > GreyDifference,
                pixels.Count(value => value < NearlyExtreme || value > 255 - NearlyExtreme) / (double)pixels.Length);
        }
    }
}
