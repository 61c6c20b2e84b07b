using System.Runtime.InteropServices;

namespace VaeFunctions.Imaging.Codecs;

/// <summary>JPEG, baseline and progressive, grey, YCbCr and CMYK, through libjpeg-turbo's TurboJPEG API.</summary>
internal static unsafe partial class JpegCodec
{
    const int Rgb = 0, Grey = 6, Cmyk = 11;           // TJPF_*
    const int SpaceGrey = 2, SpaceCmyk = 3, SpaceYcck = 4; // TJCS_*
    const int LimitScans = 32768;                     // TJFLAG_LIMITSCANS: a small file must not keep the decoder busy for ever
    const int ErrorIsWarning = 0;                     // TJERR_WARNING

    /// <summary>A decompressor serves one thread at a time and is dear to make: each thread keeps its own.</summary>
    [ThreadStatic]
    static Decompressor? decompressor;

    public static (int Width, int Height) ReadSize(ReadOnlySpan<byte> encoded)
    {
        var (width, height, _) = ReadHeader(Own(), encoded);
        return (width, height);
    }

    public static Image Decode(ReadOnlySpan<byte> encoded)
    {
        var handle = Own();
        var (width, height, colourSpace) = ReadHeader(handle, encoded);
        var format = colourSpace switch { SpaceGrey => Grey, SpaceCmyk or SpaceYcck => Cmyk, _ => Rgb };
        var channels = format switch { Grey => 1, Cmyk => 4, _ => 3 };
        var pixels = new byte[(long)width * height * channels];
        fixed (byte* data = encoded, output = pixels)
            if (Decompress(handle, data, (nuint)encoded.Length, output, width, width * channels, height, format, LimitScans) != 0
                && !(GetErrorCode(handle) == ErrorIsWarning && IsHarmless(ErrorText(handle), encoded)))
                throw Broken(handle);
        var image = format == Cmyk ? FromInvertedCmyk(width, height, pixels) : new Image(width, height, channels, pixels);
        return Orientation.Upright(image, Orientation.Read(encoded));
    }

    /// <summary>Whether a picture is whole although the decoder warned.</summary>
    /// <remarks>
    /// Only the first warning can be seen, and stray bytes may be followed by worse: so the end-of-image marker must be where it belongs.
    /// A premature end, a bad code or a lost restart marker leaves grey or shifted parts, and is never harmless.
    /// </remarks>
    static bool IsHarmless(string warning, ReadOnlySpan<byte> encoded) =>
        (warning.Contains("extraneous bytes", StringComparison.Ordinal) || warning.Contains("Adobe", StringComparison.Ordinal))
        && encoded[^Math.Min(encoded.Length, 1024)..].LastIndexOf((ReadOnlySpan<byte>)[0xFF, 0xD9]) >= 0;

    /// <summary>Programs write CMYK JPEGs with inverted inks, 255 being none: red is cyan · black.</summary>
    static Image FromInvertedCmyk(int width, int height, ReadOnlySpan<byte> inks)
    {
        var pixels = new byte[width * height * 3];
        for (var i = 0; i < width * height; i++)
            for (var c = 0; c < 3; c++)
                pixels[3 * i + c] = (byte)((inks[4 * i + c] * inks[4 * i + 3] + 127) / 255);
        return new Image(width, height, 3, pixels);
    }

    static (int Width, int Height, int ColourSpace) ReadHeader(Decompressor handle, ReadOnlySpan<byte> encoded)
    {
        int width, height, subsampling, colourSpace;
        fixed (byte* data = encoded)
            if (DecompressHeader(handle, data, (nuint)encoded.Length, &width, &height, &subsampling, &colourSpace) != 0
                && GetErrorCode(handle) != ErrorIsWarning)
                throw Broken(handle);
        if (width < 1 || height < 1) throw Broken(handle);
        return (width, height, colourSpace);
    }

    static Decompressor Own()
    {
        if (decompressor is { } own) return own;
        NativeLibraries.Require(NativeLibraries.Jpeg, "libturbojpeg0");
        return decompressor = InitDecompress() is { IsInvalid: false } made
            ? made
            : throw new InvalidOperationException("libturbojpeg gives no decompressor.");
    }

    /// <summary>After an error a decompressor may still be in the middle of that file, so it is not used again.</summary>
    static ImageFormatException Broken(Decompressor handle)
    {
        var text = ErrorText(handle);
        handle.Dispose();
        decompressor = null;
        return new($"The JPEG is broken or cut short (libjpeg-turbo: {text}). Send the file again, complete.");
    }

    static string ErrorText(Decompressor handle) => Marshal.PtrToStringUTF8((nint)GetErrorText(handle)) ?? "";

    sealed class Decompressor() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle() => Destroy(handle) == 0;
    }

    [LibraryImport(NativeLibraries.Jpeg, EntryPoint = "tjInitDecompress")]
    private static partial Decompressor InitDecompress();

    [LibraryImport(NativeLibraries.Jpeg, EntryPoint = "tjDestroy")]
    private static partial int Destroy(nint handle);

    [LibraryImport(NativeLibraries.Jpeg, EntryPoint = "tjDecompressHeader3")]
    private static partial int DecompressHeader(
        Decompressor handle, byte* data, nuint length, int* width, int* height, int* subsampling, int* colourSpace);

    [LibraryImport(NativeLibraries.Jpeg, EntryPoint = "tjDecompress2")]
    private static partial int Decompress(
        Decompressor handle, byte* data, nuint length, byte* output, int width, int pitch, int height, int pixelFormat, int flags);

    [LibraryImport(NativeLibraries.Jpeg, EntryPoint = "tjGetErrorCode")]
    private static partial int GetErrorCode(Decompressor handle);

    [LibraryImport(NativeLibraries.Jpeg, EntryPoint = "tjGetErrorStr2")]
    private static partial byte* GetErrorText(Decompressor handle);
}
