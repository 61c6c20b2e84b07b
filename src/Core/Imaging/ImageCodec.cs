using System.Text;
using VaeFunctions.Imaging.Codecs;

namespace VaeFunctions.Imaging;

/// <summary>The encodings that are read.</summary>
public enum ImageFormat
{
    Png,
    Jpeg,
    WebP,
}

/// <summary>What an encoded image says of itself; a photograph lies as it was stored, not yet turned upright.</summary>
public readonly record struct ImageHeader(ImageFormat Format, int Width, int Height);

/// <summary>Encoded images to pixels and back. The format is told by the first bytes, never by a name.</summary>
/// <remarks>Transparent parts lie on white; 16-bit channels are rounded to 8; a photograph is turned upright as its EXIF block says.</remarks>
public static class ImageCodec
{
    /// <summary>How the names of files end that are worth trying to decode.</summary>
    public static IReadOnlyList<string> Endings { get; } = [".png", ".jpg", ".jpeg", ".webp"];

    static ReadOnlySpan<byte> JpegSignature => [0xFF, 0xD8, 0xFF];

    /// <summary>Whether a file's name ends like an image's, in upper or lower case.</summary>
    public static bool IsImageName(string path) => Endings.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Decodes a PNG, JPEG or WebP to grey or RGB, whichever it holds.</summary>
    /// <exception cref="ImageFormatException">It is none of these, broken, cut short, or beyond the limits.</exception>
    /// <exception cref="DllNotFoundException">The decoder's library is not installed.</exception>
    public static Image Decode(ReadOnlySpan<byte> encoded, ImageLimits? limits = null)
    {
        var header = ReadHeader(encoded, limits);
        return header.Format switch
        {
            ImageFormat.Png => PngCodec.Decode(encoded, header),
            ImageFormat.Jpeg => JpegCodec.Decode(encoded),
            _ => WebPCodec.Decode(encoded, header),
        };
    }

    /// <summary>Reads format and size without decoding, and holds them against the limits.</summary>
    /// <exception cref="ImageFormatException">The header is not one of a PNG, JPEG or WebP, or promises more than the limits allow.</exception>
    /// <exception cref="DllNotFoundException">The decoder's library is not installed.</exception>
    public static ImageHeader ReadHeader(ReadOnlySpan<byte> encoded, ImageLimits? limits = null)
    {
        limits ??= ImageLimits.Default;
        if (encoded.Length > limits.MaxBytes)
            throw new ImageFormatException(
                $"The image has {encoded.Length:N0} bytes; at most {limits.MaxBytes:N0} are accepted. Make it smaller, or raise the limit.");
        var format = Sniff(encoded);
        var (width, height) = format switch
        {
            ImageFormat.Png => PngCodec.ReadSize(encoded),
            ImageFormat.Jpeg => JpegCodec.ReadSize(encoded),
            _ => WebPCodec.ReadSize(encoded),
        };
        if ((long)width * height > limits.MaxPixels)
            throw new ImageFormatException(
                $"The {Name(format)} says it is {width:N0}×{height:N0} pixels; at most {limits.MaxPixels:N0} pixels in all are accepted. "
                + "Make it smaller, or raise the limit.");
        return new ImageHeader(format, width, height);
    }

    /// <summary>Encodes an image as PNG, losslessly.</summary>
    public static byte[] EncodePng(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return PngWriter.Write(image);
    }

    static ImageFormat Sniff(ReadOnlySpan<byte> encoded)
    {
        if (encoded.StartsWith(PngWriter.Signature)) return ImageFormat.Png;
        if (encoded.StartsWith(JpegSignature)) return ImageFormat.Jpeg;
        if (encoded.Length >= 12 && encoded.StartsWith("RIFF"u8) && encoded[8..].StartsWith("WEBP"u8)) return ImageFormat.WebP;
        throw new ImageFormatException($"Not an image that is read here: it is {Describe(encoded)}. Send a PNG, JPEG or WebP.");
    }

    static string Describe(ReadOnlySpan<byte> content)
    {
        if (content.IsEmpty) return "empty";
        if (content.StartsWith("GIF8"u8)) return "a GIF";
        if (content.StartsWith("BM"u8)) return "a BMP";
        if (content.StartsWith("II*\0"u8) || content.StartsWith("MM\0*"u8)) return "a TIFF";
        if (content.StartsWith("%PDF"u8)) return "a PDF";
        if (content.Length >= 12 && content[4..].StartsWith("ftyp"u8))
            return $"an ISO media file ({Encoding.Latin1.GetString(content[8..12])}), such as HEIC or AVIF";
        var start = content[..Math.Min(content.Length, 24)];
        return start.ContainsAnyExceptInRange((byte)' ', (byte)'~') && start.IndexOfAny((byte)'\n', (byte)'\r', (byte)'\t') < 0
            ? $"{content.Length:N0} bytes that start with {Convert.ToHexString(start[..Math.Min(start.Length, 8)])}"
            : $"text that starts with \"{Encoding.Latin1.GetString(start).ReplaceLineEndings(" ")}\"";
    }

    internal static string Name(ImageFormat format) => format == ImageFormat.WebP ? "WebP" : format.ToString().ToUpperInvariant();
}
