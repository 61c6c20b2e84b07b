using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace VaeFunctions.Imaging.Codecs;

/// <summary>PNG read through libpng's simplified API, which brings every kind of PNG (palette, 16-bit, interlaced …) to 8-bit sRGB.</summary>
internal static unsafe partial class PngCodec
{
    const uint Alpha1 = 1, Colour = 2;
    const uint SixteenBitIsSrgb = 4;

    /// <summary>Width and height from the IHDR chunk, which must come first.</summary>
    public static (int Width, int Height) ReadSize(ReadOnlySpan<byte> encoded)
    {
        if (encoded.Length < 33 || !encoded[12..].StartsWith("IHDR"u8))
            throw new ImageFormatException($"The PNG is broken: {encoded.Length} bytes without a whole IHDR chunk. Send the file again, complete.");
        var width = BinaryPrimitives.ReadUInt32BigEndian(encoded[16..]);
        var height = BinaryPrimitives.ReadUInt32BigEndian(encoded[20..]);
        if (width is 0 or > int.MaxValue || height is 0 or > int.MaxValue)
            throw new ImageFormatException($"The PNG is broken: its header says {width}×{height} pixels.");
        return ((int)width, (int)height);
    }

    public static Image Decode(ReadOnlySpan<byte> encoded, ImageHeader header)
    {
        NativeLibraries.Require(NativeLibraries.Png, "libpng16-16");
        var image = new PngImage { Version = 1 };
        try
        {
            fixed (byte* memory = encoded)
            {
                if (BeginRead(&image, memory, (nuint)encoded.Length) == 0) throw Broken(&image);
                if (image.Width != header.Width || image.Height != header.Height)
                    throw new ImageFormatException($"The PNG is broken: it says {header.Width}×{header.Height} and {image.Width}×{image.Height} pixels.");
                var (hasColour, hasAlpha) = ((image.Format & Colour) != 0, (image.Format & Alpha1) != 0);
                var channels = hasColour ? 3 : 1;
                image.Format = (hasColour ? Colour : 0) | (hasAlpha ? Alpha1 : 0);
                image.Flags |= SixteenBitIsSrgb; // libpng takes 16-bit files for linear light; those people have are not
                var pixels = new byte[(long)header.Width * header.Height * (channels + (hasAlpha ? 1 : 0))];
                fixed (byte* buffer = pixels)
                    if (FinishRead(&image, null, buffer, 0, null) == 0) throw Broken(&image);
                return hasAlpha
                    ? Alpha.OnWhite(header.Width, header.Height, channels, pixels)
                    : new Image(header.Width, header.Height, channels, pixels);
            }
        }
        finally
        {
            Free(&image);
        }
    }

    static ImageFormatException Broken(PngImage* image) =>
        new($"The PNG is broken or cut short (libpng: {image->Text}). Send the file again, complete.");

    /// <summary>png_image of png.h, version 1.</summary>
    struct PngImage
    {
        public void* Opaque;
        public uint Version, Width, Height, Format, Flags, ColourMapEntries, WarningOrError;
        fixed byte _message[64];

        public readonly string Text
        {
            get
            {
                fixed (byte* message = _message) return Marshal.PtrToStringUTF8((nint)message) ?? "";
            }
        }
    }

    [LibraryImport(NativeLibraries.Png, EntryPoint = "png_image_begin_read_from_memory")]
    private static partial int BeginRead(PngImage* image, byte* memory, nuint length);

    [LibraryImport(NativeLibraries.Png, EntryPoint = "png_image_finish_read")]
    private static partial int FinishRead(PngImage* image, void* background, byte* buffer, int rowStride, void* colourMap);

    [LibraryImport(NativeLibraries.Png, EntryPoint = "png_image_free")]
    private static partial void Free(PngImage* image);
}
