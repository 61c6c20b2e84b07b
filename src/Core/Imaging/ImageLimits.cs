namespace VaeFunctions.Imaging;

/// <summary>What an encoded image may cost, checked against its header before memory is taken for its pixels.</summary>
public sealed record ImageLimits
{
    public static ImageLimits Default { get; } = new();

    /// <summary>Width times height.</summary>
    public long MaxPixels { get; init; } = 40_000_000;

    /// <summary>Length of the encoded image.</summary>
    public long MaxBytes { get; init; } = 32 << 20;
}

/// <summary>
/// Bytes that are not an image we read, a broken one, one beyond the limits, or one of another size than is asked for; the
/// message says which and how to mend it.
/// </summary>
public sealed class ImageFormatException(string message, Exception? inner = null) : ExplainedException(message, inner);
