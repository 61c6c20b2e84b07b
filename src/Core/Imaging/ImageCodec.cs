using VaeFunctions.Imaging.Codecs;

namespace VaeFunctions.Imaging;

/// <summary>What an encoded image says of itself; a photograph lies as it was stored, not yet turned upright.</summary>
public readonly record struct ImageHeader(ImageFormat Format, int Width, int Height);

/// <summary>An image fitted to a shape, and the size that it had before, upright.</summary>
public sealed record FittedImage(Image Image, int OriginalWidth, int OriginalHeight)
{
    /// <summary>As 640x480.</summary>
    public string OriginalSize => $"{OriginalWidth}x{OriginalHeight}";

    public bool Resized => (OriginalWidth, OriginalHeight) != (Image.Width, Image.Height);
}

/// <summary>Encoded images to pixels and back. The format is told by the first bytes, never by a name or a media type.</summary>
/// <remarks>
/// Transparent parts lie on white; 16-bit channels are rounded to 8; a picture is turned upright as its EXIF block says and
/// brought to sRGB from the colour space that it names; of an animation or a file of several pages the first is taken.
/// </remarks>
public static class ImageCodec
{
    /// <summary>
    /// Raised whenever a file comes to decode to other pixels: what was decoded before and kept is then of no use.
    /// </summary>
    public const int DecodingVersion = 1;

    /// <summary>Decodes an image of one of <see cref="ImageFormats"/> to grey or RGB, whichever it holds.</summary>
    /// <exception cref="ImageFormatException">It is none of these, broken, cut short, or beyond the limits.</exception>
    /// <exception cref="DllNotFoundException">There is no image library for this system.</exception>
    public static Image Decode(ReadOnlySpan<byte> encoded, ImageLimits? limits = null)
    {
        using var decoder = Open(encoded, limits);
        return decoder.Decode();
    }

    /// <summary>
    /// Decodes an image and brings it into a shape, as <see cref="Image.FitTo"/> does; a much larger one is shrunk while it is
    /// read.
    /// </summary>
    /// <inheritdoc cref="Decode"/>
    /// <exception cref="ImageFormatException"><see cref="ImageFit.Strict"/>, and it has another size.</exception>
    public static FittedImage DecodeTo(ImageTarget target, ReadOnlySpan<byte> encoded, ImageLimits? limits = null)
    {
        var (shape, fit) = target;
        using var decoder = Open(encoded, limits);
        var (width, height) = decoder.UprightSize;
        // Twice the target is left for the Lanczos filter, which is better than what shrinks while reading.
        var image = decoder.Decode(Math.Min(width / shape.Width, height / shape.Height) / 2);
        return new FittedImage(image.FitTo(shape, fit), width, height);
    }

    /// <summary>Reads format and size without decoding, and holds them against the limits.</summary>
    /// <exception cref="ImageFormatException">The header is none of an image, or promises more than the limits allow.</exception>
    /// <exception cref="DllNotFoundException">There is no image library for this system.</exception>
    public static ImageHeader ReadHeader(ReadOnlySpan<byte> encoded, ImageLimits? limits = null)
    {
        using var decoder = Open(encoded, limits);
        return new ImageHeader(decoder.Format, decoder.Width, decoder.Height);
    }

    /// <summary>Encodes an image as PNG, losslessly.</summary>
    public static byte[] EncodePng(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return PngWriter.Write(image);
    }

    static IDecoder Open(ReadOnlySpan<byte> encoded, ImageLimits? limits)
    {
        limits ??= ImageLimits.Default;
        if (encoded.Length > limits.MaxBytes)
            throw new ImageFormatException(
                $"The image has {encoded.Length:N0} bytes; at most {limits.MaxBytes:N0} are accepted. "
                + "Make it smaller, or raise the limit.");
        var format = ImageFormats.Of(encoded)
            ?? throw new ImageFormatException(
                $"Not an image that is read here: it is {ImageFormats.Describe(encoded)}. Send a {ImageFormats.Names}.");
        IDecoder decoder = format switch
        {
            ImageFormat.Bmp => BmpDecoder.Open(encoded),
            ImageFormat.Pnm => PnmDecoder.Open(encoded),
            _ => VipsDecoder.Open(format, encoded),
        };
        var (width, height) = (decoder.Width, decoder.Height);
        if ((long)width * height <= limits.MaxPixels) return decoder;
        decoder.Dispose();
        throw new ImageFormatException(
            $"The {ImageFormats.Name(format)} says it is {width:N0}×{height:N0} pixels; "
            + $"at most {limits.MaxPixels:N0} pixels in all are accepted. "
            + "Make it smaller, or raise the limit.");
    }
}
