using VaeFunctions.Imaging;

namespace VaeFunctions.Data;

/// <summary>An encoded image that is not read yet.</summary>
/// <param name="Path">Below the source, with forward slashes, such as <c>train/cat/0001.jpg</c>.</param>
sealed record ImageFile(string Path, Func<CancellationToken, Task<byte[]>> Read)
{
    public static bool IsHidden(string path) => path.StartsWith('.') || path.Contains("/.", StringComparison.Ordinal);
}

/// <summary>Decodes many image files in parallel into one shape.</summary>
static class ImageFiles
{
    /// <param name="source">What messages begin with.</param>
    /// <param name="readers">Files read at a time.</param>
    /// <returns>The shape, and the images in the order of the files.</returns>
    /// <exception cref="DataException">Images are broken, of different sizes, of another size than the model's, or too many for the memory.</exception>
    public static async Task<(ImageShape Shape, byte[][] Images)> DecodeAsync(
        string source, IReadOnlyList<ImageFile> files, int readers, DataOptions options, CancellationToken cancellation)
    {
        var images = new Image?[files.Count];
        var sizes = new (int Width, int Height)[files.Count];
        var problems = new string?[files.Count];
        var done = 0;

        // One image is enough to see whether sizes and memory can suit.
        await DecodeOne(0, image => image, cancellation);
        var first = images[0]?.Shape;
        var target = first is { } found ? options.Target(source, found) : options.Shape;
        if (target is { } shape)
        {
            options.CheckMemory(source, files.Count, shape);
            sizes[0] = (shape.Width, shape.Height);
        }

        await Parallel.ForAsync(0, files.Count, new ParallelOptions { MaxDegreeOfParallelism = readers, CancellationToken = cancellation },
            async (i, token) =>
            {
                await DecodeOne(i, Convert, token);
                if (Interlocked.Increment(ref done) is var count && (count % 100 == 0 || count == files.Count))
                    options.Progress?.Invoke(count, files.Count);
            });
        ThrowIfBroken(source, files, problems);
        ThrowIfMixed(source, files, sizes, options.Shape is not null);

        var channels = options.Shape?.Channels ?? images.Max(image => image!.Channels);
        return (images[0]!.Shape with { Channels = channels }, Array.ConvertAll(images, image => image!.ToChannels(channels).Pixels));

        Image Convert(Image image) =>
            options.Shape is not { } wanted ? image : options.Resize ? image.FitTo(wanted) : image.ToChannels(wanted.Channels);

        async Task DecodeOne(int i, Func<Image, Image> convert, CancellationToken token)
        {
            try
            {
                var image = convert(ImageCodec.Decode(await files[i].Read(token), options.Limits));
                sizes[i] = (image.Width, image.Height);
                if (sizes[i] == sizes[0]) images[i] = image; // the memory was checked for no other size
            }
            catch (Exception error) when (error is ImageFormatException or IOException or UnauthorizedAccessException)
            {
                problems[i] = error.Message;
            }
        }
    }

    static void ThrowIfMixed(string source, IReadOnlyList<ImageFile> files, (int Width, int Height)[] sizes, bool modelHasSize)
    {
        if (Array.FindIndex(sizes, size => size != sizes[0]) is var odd && odd < 0) return;
        throw new DataException(
            $"{source}: the images are of different sizes: {files[0].Path} is {sizes[0].Width}×{sizes[0].Height}, "
            + $"{files[odd].Path} is {sizes[odd].Width}×{sizes[odd].Height}. "
            + (modelHasSize ? "--resize makes all the model's size (centre crop, then scaling)." : "Make them one size."));
    }

    static void ThrowIfBroken(string source, IReadOnlyList<ImageFile> files, string?[] problems)
    {
        const int named = 3;
        var broken = Enumerable.Range(0, files.Count).Where(i => problems[i] is not null).ToArray();
        if (broken.Length == 0) return;
        var list = string.Concat(broken.Take(named).Select(i => $"\n  {files[i].Path}: {problems[i]}"));
        throw new DataException(
            $"{source}: {broken.Length:N0} of {files.Count:N0} images cannot be read. Mend or remove them:{list}"
            + (broken.Length > named ? $"\n  and {broken.Length - named:N0} more" : ""));
    }
}
