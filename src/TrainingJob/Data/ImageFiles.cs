using VaeFunctions.Imaging;

namespace VaeFunctions.Data;

/// <summary>An encoded image that is not read yet.</summary>
/// <param name="Path">Below the source, with forward slashes, such as <c>train/cat/0001.jpg</c>.</param>
/// <param name="Version">Changes whenever the content does: size and times, or an ETag.</param>
/// <param name="Changed">
/// When it was last written; the default where <paramref name="Version"/> tells of changes without fail.
/// </param>
sealed record ImageFile(string Path, string Version, DateTime Changed, Func<CancellationToken, Task<byte[]>> Read)
{
    public static bool IsHidden(string path) => path.StartsWith('.') || path.Contains("/.", StringComparison.Ordinal);
}

/// <summary>Decodes many image files in parallel into one shape, or takes them from where they were kept decoded.</summary>
sealed class ImageFiles
{
    readonly string source;
    readonly IReadOnlyList<ImageFile> files;
    readonly int readers;
    readonly DataOptions options;
    readonly (int Width, int Height)[] sizes;
    readonly string?[] problems;

    ImageFiles(string source, IReadOnlyList<ImageFile> files, int readers, DataOptions options)
    {
        (this.source, this.files, this.readers, this.options) = (source, files, readers, options);
        (sizes, problems) = (new (int, int)[files.Count], new string?[files.Count]);
    }

    /// <param name="source">What messages begin with.</param>
    /// <param name="place">Where the files are.</param>
    /// <param name="readers">Files read at a time.</param>
    /// <returns>The shape, and the images in the order of the files.</returns>
    /// <exception cref="DataException">
    /// Images are broken, of different sizes, of another size than the model's, or too many.
    /// </exception>
    public static async Task<(ImageShape Shape, IRows Rows)> DecodeAsync(
        string source, string place, IReadOnlyList<ImageFile> files, int readers, DataOptions options,
        CancellationToken cancellation)
    {
        var cache = options.OpenCache();
        var key = DecodedCache.KeyOf(place, files, options);
        if (cache?.TryOpen(key, options.Log) is { } kept)
        {
            options.Log?.Invoke($"{source}: taken as it was decoded before, from {kept.Path}");
            return (kept.Shape, kept);
        }
        return await new ImageFiles(source, files, readers, options).DecodeAsync(cache, key, cancellation);
    }

    async Task<(ImageShape Shape, IRows Rows)> DecodeAsync(DecodedCache? cache, byte[] key, CancellationToken cancellation)
    {
        // One image is enough to see whether sizes and memory can suit.
        if (await ReadAsync(0, encoded => ImageCodec.Decode(encoded, options.Limits), cancellation) is not { } first)
        {
            await DecodeAllAsync(options.Shape ?? default, (_, _) => { }, cancellation);
            throw Broken();
        }
        var shape = options.Target(source, first.Shape);
        if (cache is not null && !DecodedCache.AreSettled(files))
        {
            options.Log?.Invoke(
                $"{source}: not kept decoded, since files were written a moment ago; the next run will keep them");
            cache = null;
        }
        while (true)
        {
            try
            {
                var rows = cache is null
                    ? await InMemoryAsync(shape, cancellation)
                    : await InFileAsync(cache, key, shape, cancellation);
                if (rows is not null) return (shape, rows);
                shape = shape with { Channels = 3 }; // a coloured image came after grey ones
            }
            catch (CacheException fault)
            {
                options.Log?.Invoke(
                    $"{source}: not kept decoded in {cache!.Folder}, so the images stay in memory: {fault.Message}");
                cache = null;
            }
        }
    }

    async Task<IRows?> InMemoryAsync(ImageShape shape, CancellationToken cancellation)
    {
        options.CheckMemory(source, files.Count, shape);
        var images = new byte[files.Count][];
        return await DecodeAllAsync(shape, (i, pixels) => images[i] = pixels, cancellation) ? new ArrayRows(images) : null;
    }

    async Task<IRows?> InFileAsync(DecodedCache cache, byte[] key, ImageShape shape, CancellationToken cancellation)
    {
        using var writer = cache.Create(key, shape, files.Count);
        if (!await DecodeAllAsync(shape, (i, pixels) => writer.Write(i, pixels), cancellation)) return null;
        var rows = writer.Commit();
        options.Log?.Invoke(
            $"{source}: kept decoded for the next run in {rows.Path}, {new FileInfo(rows.Path).Length >> 20:N0} MiB; "
            + "delete it as you like");
        return rows;
    }

    /// <summary>Decodes all images and hands each on; false where one has colours and the shape has none.</summary>
    /// <exception cref="DataException">Images are broken or of different sizes.</exception>
    async Task<bool> DecodeAllAsync(ImageShape shape, Action<int, byte[]> keep, CancellationToken cancellation)
    {
        var (done, lacksColour) = (0, false);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = readers, CancellationToken = cancellation };
        await Parallel.ForAsync(0, files.Count, parallel, async (i, token) =>
        {
            if (await ReadAsync(i, Decode, token) is { } image)
            {
                sizes[i] = (image.Width, image.Height);
                if (sizes[i] != (shape.Width, shape.Height)) return; // reported below
                if (options.Shape is null && image.Channels > shape.Channels) lacksColour = true;
                else keep(i, image.ToChannels(shape.Channels).Pixels);
            }
            if (Interlocked.Increment(ref done) is var count && (count % 100 == 0 || count == files.Count))
                options.Progress?.Invoke(count, files.Count);
        });
        if (Array.Exists(problems, problem => problem is not null)) throw Broken();
        ThrowIfMixed();
        return !lacksColour;

        Image Decode(byte[] encoded) => options is { Shape: { } wanted, Resize: true }
            ? ImageCodec.DecodeTo(wanted, encoded, options.Limits).Image
            : ImageCodec.Decode(encoded, options.Limits);
    }

    /// <summary>One image; null where it cannot be read, which is noted.</summary>
    async Task<Image?> ReadAsync(int i, Func<byte[], Image> decode, CancellationToken cancellation)
    {
        try
        {
            return decode(await files[i].Read(cancellation));
        }
        catch (Exception fault) when (fault is ImageFormatException or IOException or UnauthorizedAccessException)
        {
            problems[i] = fault.Message;
            return null;
        }
    }

    void ThrowIfMixed()
    {
        if (Array.FindIndex(sizes, size => size != sizes[0]) is var odd && odd < 0) return;
        throw new DataException(
            $"{source}: the images are of different sizes: {files[0].Path} is {sizes[0].Width}×{sizes[0].Height}, "
            + $"{files[odd].Path} is {sizes[odd].Width}×{sizes[odd].Height}. "
            + (options.Shape is null
                ? "Make them one size."
                : "--resize makes all the model's size (centre crop, then scaling)."));
    }

    DataException Broken()
    {
        const int named = 3;
        var broken = Enumerable.Range(0, files.Count).Where(i => problems[i] is not null).ToArray();
        var list = string.Concat(broken.Take(named).Select(i => $"\n  {files[i].Path}: {problems[i]}"));
        return new DataException(
            $"{source}: {broken.Length:N0} of {files.Count:N0} images cannot be read. Mend or remove them:{list}"
            + (broken.Length > named ? $"\n  and {broken.Length - named:N0} more" : ""));
    }
}
