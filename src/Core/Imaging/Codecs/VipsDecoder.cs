using NetVips;

namespace VaeFunctions.Imaging.Codecs;

/// <summary>PNG, JPEG, WebP, GIF, TIFF and AVIF through libvips.</summary>
/// <remarks>
/// Each is given to its own loader: the general one also takes text for tables of numbers. A decoder's text is never shown, since
/// libvips collects there what it had to say about other images as well.
/// </remarks>
internal sealed class VipsDecoder : IDecoder
{
    /// <summary>The most pixels that are fetched as one region, which every step before them then holds whole.</summary>
    const long AtOnce = 1 << 16;

    const string Profile = "icc-profile-data", Orientation = "orientation", Pages = "n-pages";

    readonly byte[] content;
    readonly ColourSpace? space;
    readonly NetVips.Image header;

    /// <summary>Sets the library up once; fails each time where there is none.</summary>
    static readonly Lazy<bool> ready = new(() =>
    {
        if (!ModuleInitializer.VipsInitialized)
            throw new DllNotFoundException(
                "The image library libvips cannot be loaded on this system: "
                + "it comes with the package NetVips.Native for Linux on x64 with glibc. "
                + (ModuleInitializer.Exception?.Message ?? ""));
        NetVips.NetVips.BlockUntrusted = true; // SVG and whatever else its makers do not call safe
        NetVips.NetVips.Concurrency = 1;       // callers decode several images side by side
        Cache.Max = 0;
        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.All, static (_, _, _) => { }); // a bad file may be worth thousands of lines
        return true;
    });

    VipsDecoder(ImageFormat format, byte[] content, ColourSpace? space)
    {
        _ = ready.Value;
        (Format, this.content, this.space) = (format, content, space);
        header = Reading(() => Load(1));
    }

    public ImageFormat Format { get; }

    public int Width => header.Width;

    public int Height => header.Height;

    public (int Width, int Height) UprightSize => OrientationOf(header) >= 5 ? (Height, Width) : (Width, Height);

    /// <exception cref="ImageFormatException">The header is broken or cut short.</exception>
    public static VipsDecoder Open(ImageFormat format, ReadOnlySpan<byte> encoded)
    {
        switch (format)
        {
            case ImageFormat.Jpeg:
                return new(format, JpegFile.Inspect(encoded), null);
            case ImageFormat.Png:
                var png = PngFile.Inspect(encoded);
                return new(format, png.Content, png.Space);
            default:
                return new(format, encoded.ToArray(), null);
        }
    }

    public void Dispose() => header.Dispose();

    public Image Decode(int shrink = 1) => Reading(() =>
    {
        var steps = new List<NetVips.Image>();
        try
        {
            var image = header;
            if (ShrinkOnLoad(shrink) is > 1 and var divisor) image = Then(Load(divisor));
            if (OrientationOf(image) > 1) image = Then(Then(image.CopyMemory()).Autorot()); // which reads from the end
            var isGrey = image.Bands <= 2;
            if (image.Contains(Profile) && TryTransform(image) is { } transformed) image = Then(transformed);
            else if (!IsPlain(image)) image = Then(
                Then(image.Colourspace(Enums.Interpretation.Srgb)).Cast(Enums.BandFormat.Uchar));
            if (image.Bands > 4) image = Then(image.ExtractBand(0, n: 3));
            if (isGrey && image.Bands > 2) image = Then(Grey(image));
            return Samples.ToImage(
                image.Width, image.Height, image.Bands, Read(image), image.Interpretation == Enums.Interpretation.Cmyk);
        }
        finally
        {
            steps.ForEach(step => step.Dispose());
        }

        NetVips.Image Then(NetVips.Image next)
        {
            steps.Add(next);
            return next;
        }
    });

    byte[] Read(NetVips.Image image)
    {
        if (image.Format == Enums.BandFormat.Ushort)
        {
            var wide = image.WriteToMemory<ushort>();
            space?.ToSrgb<ushort>(wide, image.Bands, ushort.MaxValue);
            return Samples.Rounded(wide);
        }
        var samples = (long)image.Width * image.Height <= AtOnce ? Fetch(image) : image.WriteToMemory<byte>();
        space?.ToSrgb<byte>(samples, image.Bands, byte.MaxValue);
        return samples;
    }

    /// <summary>All samples at once, on this thread: the library's other way, strip by strip on threads of its own, costs small
    /// images more than decoding them does.</summary>
    static byte[] Fetch(NetVips.Image image)
    {
        using var region = Region.New(image);
        return region.Fetch(0, 0, image.Width, image.Height);
    }

    /// <summary>Samples that need no more than rounding: grey, RGB or CMYK in 8 or 16 bits, perhaps with alpha.</summary>
    static bool IsPlain(NetVips.Image image) =>
        image.Format is Enums.BandFormat.Uchar or Enums.BandFormat.Ushort
        && (image.Interpretation, image.Bands) is (Enums.Interpretation.Bw or Enums.Interpretation.Grey16, 1 or 2)
            or (Enums.Interpretation.Srgb or Enums.Interpretation.Rgb or Enums.Interpretation.Rgb16, 3 or 4)
            or (Enums.Interpretation.Cmyk, 4);

    /// <summary>
    /// The picture in sRGB by its profile; null where the profile is broken or meant for other pixels, and so no use.
    /// </summary>
    static NetVips.Image? TryTransform(NetVips.Image image)
    {
        try
        {
            return image.IccTransform("srgb", embedded: true, intent: Enums.Intent.Relative);
        }
        catch (VipsException)
        {
            return null;
        }
    }

    /// <summary>One of three equal colours, with alpha where there is one.</summary>
    static NetVips.Image Grey(NetVips.Image image)
    {
        if (image.Bands <= 3) return image.ExtractBand(0);
        using var colour = image.ExtractBand(0);
        using var alpha = image.ExtractBand(3);
        return colour.Bandjoin(alpha);
    }

    static int OrientationOf(NetVips.Image image) =>
        image.Contains(Orientation) && image.Get(Orientation) is int and >= 1 and <= 8 and var found ? found : 1;

    /// <summary>JPEGs shrink by their transform, to a half, a quarter or an eighth, and stills in WebP likewise.</summary>
    int ShrinkOnLoad(int most) =>
        Format == ImageFormat.Jpeg || (Format == ImageFormat.WebP && !header.Contains(Pages))
            ? most switch { >= 8 => 8, >= 4 => 4, >= 2 => 2, _ => 1 }
            : 1;

    NetVips.Image Load(int divisor)
    {
        const Enums.Access access = Enums.Access.Sequential;
        const Enums.FailOn failOn = Enums.FailOn.Warning; // with less, half a JPEG passes that ends like a whole one
        return Format switch
        {
            ImageFormat.Png => NetVips.Image.PngloadBuffer(content, access: access, failOn: failOn),
            ImageFormat.Jpeg => NetVips.Image.JpegloadBuffer(content, shrink: divisor, access: access, failOn: failOn),
            ImageFormat.WebP => NetVips.Image.WebploadBuffer(content, scale: 1.0 / divisor, access: access, failOn: failOn),
            ImageFormat.Gif => NetVips.Image.GifloadBuffer(content, access: access, failOn: failOn),
            ImageFormat.Tiff => NetVips.Image.TiffloadBuffer(content, access: access, failOn: failOn),
            _ => NetVips.Image.HeifloadBuffer(content, access: access, failOn: failOn),
        };
    }

    T Reading<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (VipsException)
        {
            throw new ImageFormatException(
                $"The {ImageFormats.Name(Format)} is broken, cut short or of a kind that is not read. "
                + "Send the file again, complete, "
                + "or save it as an ordinary PNG or JPEG.");
        }
    }
}
