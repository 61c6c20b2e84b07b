using System.Runtime.InteropServices;

namespace VaeFunctions.Imaging.Codecs;

/// <summary>WebP, lossy and lossless, through libwebp.</summary>
internal static unsafe partial class WebPCodec
{
    const int DecoderAbiVersion = 0x0209;

    public static (int Width, int Height) ReadSize(ReadOnlySpan<byte> encoded)
    {
        var features = ReadFeatures(encoded);
        return (features.Width, features.Height);
    }

    public static Image Decode(ReadOnlySpan<byte> encoded, ImageHeader header)
    {
        var features = ReadFeatures(encoded);
        if (features.HasAnimation != 0)
            throw new ImageFormatException("The WebP is animated; only still images are read. Send one of its frames.");
        var channels = features.HasAlpha != 0 ? 4 : 3;
        var pixels = new byte[(long)header.Width * header.Height * channels];
        var stride = header.Width * channels;
        fixed (byte* data = encoded, output = pixels)
        {
            var done = channels == 4
                ? DecodeRgba(data, (nuint)encoded.Length, output, (nuint)pixels.Length, stride)
                : DecodeRgb(data, (nuint)encoded.Length, output, (nuint)pixels.Length, stride);
            if (done == null) throw new ImageFormatException("The WebP is broken or cut short. Send the file again, complete.");
        }
        return channels == 4 ? Alpha.OnWhite(header.Width, header.Height, 3, pixels) : new Image(header.Width, header.Height, 3, pixels);
    }

    static Features ReadFeatures(ReadOnlySpan<byte> encoded)
    {
        NativeLibraries.Require(NativeLibraries.WebP, "libwebp7");
        Features features;
        fixed (byte* data = encoded)
            if (GetFeatures(data, (nuint)encoded.Length, &features, DecoderAbiVersion) is var status && status != 0)
                throw new ImageFormatException($"The WebP's header is broken or cut short (libwebp: status {status}). Send the file again, complete.");
        return features;
    }

    /// <summary>WebPBitstreamFeatures of decode.h.</summary>
    struct Features
    {
        public int Width, Height, HasAlpha, HasAnimation, Format;
        fixed uint _reserved[5];
    }

    [LibraryImport(NativeLibraries.WebP, EntryPoint = "WebPGetFeaturesInternal")]
    private static partial int GetFeatures(byte* data, nuint length, Features* features, int abiVersion);

    [LibraryImport(NativeLibraries.WebP, EntryPoint = "WebPDecodeRGBInto")]
    private static partial byte* DecodeRgb(byte* data, nuint length, byte* output, nuint outputLength, int stride);

    [LibraryImport(NativeLibraries.WebP, EntryPoint = "WebPDecodeRGBAInto")]
    private static partial byte* DecodeRgba(byte* data, nuint length, byte* output, nuint outputLength, int stride);
}
