using VaeFunctions.Imaging;

namespace VaeFunctions.Data;

/// <summary>An encoded image that is not read yet.</summary>
/// <param name="Path">Below the folder that is looked at, with forward slashes, such as <c>train/cat/0001.jpg</c>.</param>
/// <param name="Version">Changes whenever the content does: size and times, or an ETag.</param>
/// <param name="Changed">
/// When it was last written; the default where <paramref name="Version"/> tells of changes without fail.
/// </param>
sealed record ImageFile(string Path, string Version, DateTime Changed, Func<CancellationToken, Task<byte[]>> Read)
{
    /// <summary>Below the source, whatever <see cref="Path"/> is below.</summary>
    public string FullPath { get; init; } = Path;

    /// <summary>The same file as seen from within a folder whose path has this length.</summary>
    public ImageFile From(int length) => this with { Path = Path[length..], FullPath = FullPath[length..] };
}

/// <summary>Decodes many image files in parallel into one shape, or takes them from where they were kept decoded.</summary>
sealed class ImageFiles
{
    readonly string source;
    readonly IReadOnlyList<ImageFile> files;
    readonly int readers;
    readonly DataOptions options;
    readonly (int Width, int Height)[] sizes;
    readonly string?[] problems, originals;

    ImageFiles(string source, IReadOnlyList<ImageFile> files, int readers, DataOptions options)
    {
        (this.source, this.files, this.readers, this.options) = (source, files, readers, options);
        (sizes, problems, originals) = (new (int, int)[files.Count], new string?[files.Count], new string?[files.Count]);
    }

    /// <param name="source">What messages begin with.</param>
    /// <param name="place">Where the files are.</param>
    /// <param name="readers">Files read at a time.</param>
    /// <returns>The shape, and the images in the order of the files, with those missing that cannot be read.</returns>
    /// <exception cref="DataException">
    /// More images are broken than is allowed, they are of different sizes where nothing fits them, or too many.
    /// </exception>
    public static async Task<(ImageShape Shape, IRows Rows)> DecodeAsync(
        string source, string place, IReadOnlyList<ImageFile> files, int readers, DataOptions options,
        CancellationToken cancellation)
    {
        var cache = options.OpenCache();
        var key = DecodedCache.KeyOf(place, files, options);
        var images = new ImageFiles(source, files, readers, options);
        if (cache?.TryOpen(key, options.Log) is { } kept && await images.AreStillUnreadableAsync(kept.Missing, cancellation))
        {
            options.Log?.Invoke($"{source}: taken as it was decoded before, from {kept.Path}");
            return (kept.Shape, kept);
        }
        return await images.DecodeAsync(cache, key, cancellation);
    }

    /// <summary>Looks once more at the images that could not be read before, which says why again.</summary>
    async Task<bool> AreStillUnreadableAsync(IReadOnlyList<int> missing, CancellationToken cancellation)
    {
        foreach (var i in missing)
        {
            if (await ReadAsync(i, Decode, cancellation) is not null)
            {
                Array.Clear(problems);
                return false;
            }
        }
        ThrowIfBroken();
        Tell();
        return true;
    }

    async Task<(ImageShape Shape, IRows Rows)> DecodeAsync(DecodedCache? cache, byte[] key, CancellationToken cancellation)
    {
        // One image is enough to see whether sizes and memory can suit.
        ImageShape? found = null;
        for (var i = 0; found is null; i++)
        {
            if (i == files.Count || i > options.MaxUnreadable.Of(files.Count))
            {
                await DecodeAllAsync(options.Shape ?? default, (_, _) => { }, cancellation);
                throw new InvalidOperationException($"{source}: the first {i} images could be read the second time only.");
            }
            found = (await ReadAsync(i, encoded => ImageCodec.Decode(encoded, options.Limits), cancellation))?.Shape;
        }
        var shape = options.Target(source, found.Value);
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
        var images = new byte[]?[files.Count];
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
        ThrowIfBroken();
        ThrowIfMixed();
        if (!lacksColour) Tell();
        return !lacksColour;
    }

    Image Decode(int i, byte[] encoded)
    {
        if (options is not { Shape: { } wanted, Fit: not ImageFit.Strict }) return ImageCodec.Decode(encoded, options.Limits);
        var fitted = ImageCodec.DecodeTo(new(wanted, options.Fit), encoded, options.Limits);
        originals[i] = fitted.Resized ? fitted.OriginalSize.Replace('x', '×') : null;
        return fitted.Image;
    }

    /// <summary>Says what is left out and what is made to fit.</summary>
    void Tell()
    {
        if (Broken().Length > 0) options.Log?.Invoke($"{source}: left out {Listed("that cannot be read")}");
        var other = Array.FindIndex(originals, size => size is not null);
        if (other >= 0)
            options.TellFit(source, originals.Count(size => size is not null), files.Count,
                $"{files[other].Path}, {originals[other]}");
    }

    /// <exception cref="DataException">More cannot be read than is allowed.</exception>
    void ThrowIfBroken()
    {
        if (Broken().Length > options.MaxUnreadable.Of(files.Count))
            throw new DataException($"{source}: {Listed("cannot be read")}\nMend or remove them, or allow as many: "
                + $"--max-unreadable {Broken().Length}");
    }

    int[] Broken() => [.. Enumerable.Range(0, files.Count).Where(i => problems[i] is not null)];

    /// <summary>One image; null where it cannot be read, which is noted.</summary>
    Task<Image?> ReadAsync(int i, Func<int, byte[], Image> decode, CancellationToken cancellation) =>
        ReadAsync(i, encoded => decode(i, encoded), cancellation);

    async Task<Image?> ReadAsync(int i, Func<byte[], Image> decode, CancellationToken cancellation)
    {
        problems[i] = null;
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
        var read = Enumerable.Range(0, files.Count).Where(i => problems[i] is null).ToArray();
        var odd = Array.Find(read, i => sizes[i] != sizes[read[0]]);
        if (odd == 0) return; // the first is of its own size, so none was found
        throw new DataException(
            $"{source}: the images are of different sizes: {files[read[0]].Path} is {sizes[read[0]].Width}×"
            + $"{sizes[read[0]].Height}, {files[odd].Path} is {sizes[odd].Width}×{sizes[odd].Height}. "
            + (options.Shape is null
                ? "Make them one size."
                : "--fit crop makes all the model's size (centre crop, then scaling)."));
    }

    string Listed(string what)
    {
        const int named = 3;
        var broken = Broken();
        var list = string.Concat(broken.Take(named).Select(i => $"\n  {files[i].Path}: {problems[i]}"));
        return $"{broken.Length:N0} of {Plural.Of(files.Count, "image")} {what}:{list}"
            + (broken.Length > named ? $"\n  and {broken.Length - named:N0} more" : "");
    }
}
