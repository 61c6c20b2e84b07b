using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Data;

/// <summary>How data is brought into the shape that a model takes.</summary>
public sealed record DataOptions
{
    /// <summary>The model's shape; null takes the images as they are. Channels are always converted.</summary>
    public ImageShape? Shape { get; init; }

    /// <summary>How images of another size come to <see cref="Shape"/>.</summary>
    public ImageFit Fit { get; init; }

    /// <summary>How many images may be left out that cannot be read, or that lie where none can be used.</summary>
    public Allowance MaxUnreadable { get; init; } = Allowance.Usual;

    /// <summary>Whether images become black and white.</summary>
    public BinarizationKind Binarize { get; init; }

    /// <summary>The part set aside for testing where the data has no split of its own; above 0 and below 1.</summary>
    public double TestFraction { get; init; } = 0.1;

    /// <summary>Decides what is set aside, and which faces are drawn.</summary>
    public ulong Seed { get; init; }

    /// <summary>The storage that <c>blob:</c> reads; null where there is none.</summary>
    public IBlobStore? Blobs { get; init; }

    public ImageLimits Limits { get; init; } = ImageLimits.Default;

    /// <summary>Bytes that the pixels may take in memory; by default four fifths of what the process may have.</summary>
    public long MaxMemory { get; init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 5 * 4;

    /// <summary>The folder that keeps decoded images for the next run, and sets larger than memory; null keeps nothing.</summary>
    public string? Cache { get; init; } = DecodedCache.UsualFolder;

    /// <summary>How <see cref="Cache"/> becomes one; tests fill the disk here.</summary>
    internal Func<string, DecodedCache> CacheAt { get; init; } = folder => new DecodedCache(folder);

    internal DecodedCache? OpenCache() => Cache is null ? null : CacheAt(Cache);

    /// <summary>Told in words what was found and skipped.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>Told how many images are read, of how many; called from any thread.</summary>
    public Action<int, int>? Progress { get; init; }

    /// <summary>Throws where so many images of this shape would not fit in memory.</summary>
    /// <exception cref="DataException">They would not.</exception>
    internal void CheckMemory(string source, long count, ImageShape shape)
    {
        if ((decimal)count * shape.Width * shape.Height * shape.Channels is var needed && needed > MaxMemory)
            throw new DataException(
                $"{source}: {count:N0} images of {shape} take {needed / (1 << 20):N0} MiB; "
                + $"{MaxMemory >> 20:N0} MiB of memory may be used. "
                + "Take fewer or smaller images.");
    }

    /// <summary>The shape that images of this size and these channels get.</summary>
    /// <exception cref="DataException">They have another size than the model, and may not be fitted.</exception>
    internal ImageShape Target(string source, ImageShape found)
    {
        if (Shape is not { } wanted) return found;
        if ((wanted.Width, wanted.Height) == (found.Width, found.Height)) return wanted;
        if (Fit == ImageFit.Strict)
            throw new DataException(
                $"{source}: the images are {found.Width}×{found.Height} but the model takes {wanted.Width}×{wanted.Height}. "
                + "--fit crop makes all the model's size (centre crop, then scaling), "
                + "--fit pad and --fit stretch in other ways.");
        return wanted;
    }

    /// <summary>Says what is done to images of other sizes.</summary>
    /// <param name="example">Which image it is, and how large.</param>
    internal void TellFit(string source, int others, int all, string example)
    {
        if (others == 0 || Shape is not { } shape) return;
        var how = Fit switch
        {
            ImageFit.Pad => "scaled, with black beside them",
            ImageFit.Stretch => "stretched",
            _ => "cropped in the middle and scaled",
        };
        Log?.Invoke($"{source}: {others:N0} of {Plural.Of(all, "image")} {(others == 1 ? "is" : "are")} not "
            + $"{shape.Width}×{shape.Height}, such as {example}; "
            + $"{(others == 1 ? "it is" : "they are")} {how} (--fit crop, pad, stretch or strict)");
    }
}
