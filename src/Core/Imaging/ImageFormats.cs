using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Text;
using VaeFunctions.Imaging.Codecs;

namespace VaeFunctions.Imaging;

/// <summary>The encodings that are read.</summary>
public enum ImageFormat
{
    Png,
    Jpeg,
    WebP,
    Gif,
    Tiff,
    Avif,
    Bmp,

    /// <summary>PBM, PGM and PPM.</summary>
    Pnm,
}

/// <summary>Which encodings are read, how their files are named, and what other content is called in messages.</summary>
public static class ImageFormats
{
    /// <summary>All that are read, for messages.</summary>
    public const string Names = "PNG, JPEG, WebP, GIF, TIFF, AVIF, BMP or PNM (PBM, PGM, PPM)";

    /// <summary>How the names of files end that are worth trying to decode.</summary>
    public static IReadOnlyList<string> Endings { get; } =
    [
        ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".tif", ".tiff", ".avif", ".bmp", ".dib",
        ".pbm", ".pgm", ".ppm", ".pnm",
    ];

    /// <summary>The media types by which these encodings are usually sent.</summary>
    public static IReadOnlyList<string> MediaTypes { get; } =
    [
        "image/png", "image/jpeg", "image/webp", "image/gif", "image/tiff", "image/avif", "image/bmp", "image/x-portable-anymap",
    ];

    static readonly FrozenSet<int> BitmapHeaders = [12, 40, 52, 56, 64, 108, 124];

    /// <summary>Whether a file's name ends like an image's, in upper or lower case.</summary>
    public static bool IsImageName(string path) => Endings.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>The encoding that the first bytes tell; null where it is none that is read.</summary>
    public static ImageFormat? Of(ReadOnlySpan<byte> content) =>
        content.StartsWith(PngWriter.Signature) ? ImageFormat.Png
        : content.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]) ? ImageFormat.Jpeg
        : content.StartsWith("RIFF"u8) && At(content, 8, "WEBP"u8) ? ImageFormat.WebP
        : content.StartsWith("GIF87a"u8) || content.StartsWith("GIF89a"u8) ? ImageFormat.Gif
        : content.StartsWith("II*\0"u8) || content.StartsWith("MM\0*"u8) || content.StartsWith("II+\0"u8)
            || content.StartsWith("MM\0+"u8)
            ? ImageFormat.Tiff
        : Brands(content) is { } brands && (brands.Contains("avif") || brands.Contains("avis")) ? ImageFormat.Avif
        : content.StartsWith("BM"u8) && content.Length >= 26
            && BitmapHeaders.Contains(BitConverter.ToInt32(content[14..])) ? ImageFormat.Bmp
        : content.Length > 2 && content[0] == 'P' && content[1] is >= (byte)'1' and <= (byte)'6'
            && IsSpaceOrComment(content[2]) ? ImageFormat.Pnm
        : null;

    internal static string Name(ImageFormat format) => format == ImageFormat.WebP ? "WebP" : format.ToString().ToUpperInvariant();

    /// <summary>What bytes are that are no image we read, with its article. No control character of theirs is repeated.</summary>
    internal static string Describe(ReadOnlySpan<byte> content)
    {
        if (content.IsEmpty) return "empty";
        if (IsDamagedPng(content)) return "a PNG damaged by a transfer that took it for text";
        foreach (var (signature, at, name) in Others)
            if (At(content, at, signature)) return name;
        if (Brands(content) is { } brands)
            return brands.Overlaps(HeicBrands) ? "a HEIC" : "an ISO media file, such as an MP4";
        if (IsTarga(content)) return "a TGA";
        var start = content[..Math.Min(content.Length, 24)];
        return Text(start) is { } text
            ? $"text that starts with \"{text}\""
            : $"{content.Length:N0} bytes that start with {Convert.ToHexString(start[..Math.Min(start.Length, 8)])}";
    }

    static readonly string[] HeicBrands = ["heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1"];

    /// <summary>Content that people take for an image, or send by mistake.</summary>
    static readonly (byte[] Signature, int At, string Name)[] Others =
    [
        ([0, 0, 0, 12, 0x6A, 0x50, 0x20, 0x20], 0, "a JPEG 2000 (JP2)"),
        ([0xFF, 0x4F, 0xFF, 0x51], 0, "a JPEG 2000 (J2K)"),
        ([0, 0, 0, 12, 0x4A, 0x58, 0x4C, 0x20], 0, "a JPEG XL"),
        ([0xFF, 0x0A], 0, "a JPEG XL"),
        ([.. "8BPS"u8], 0, "a PSD"),
        ([0, 0, 1, 0], 0, "an ICO"),
        ([0, 0, 2, 0, 1, 0], 0, "a CUR"),
        ([.. "qoif"u8], 0, "a QOI"),
        ([.. "DDS "u8], 0, "a DDS"),
        ([.. "gimp xcf"u8], 0, "an XCF"),
        ([.. "#?RADIANCE"u8], 0, "a Radiance HDR"),
        ([0x76, 0x2F, 0x31, 0x01], 0, "an OpenEXR"),
        ([.. "%PDF"u8], 0, "a PDF"),
        ([.. "%!PS"u8], 0, "a PostScript file"),
        ([.. "<svg"u8], 0, "an SVG"),
        ([.. "<?xml"u8], 0, "XML, perhaps an SVG"),
        ([.. "PK\u0003\u0004"u8], 0, "a ZIP archive"),
        ([0x1F, 0x8B], 0, "a gzip archive"),
        ([.. "7z"u8, 0xBC, 0xAF], 0, "a 7z archive"),
        ([.. "Rar!"u8], 0, "a RAR archive"),
        ([0x1A, 0x45, 0xDF, 0xA3], 0, "a Matroska or WebM video"),
        ([.. "AVI "u8], 8, "an AVI video"),
    ];

    static bool At(ReadOnlySpan<byte> content, int at, ReadOnlySpan<byte> signature) =>
        content.Length > at && content[at..].StartsWith(signature);

    static bool IsSpaceOrComment(byte letter) => letter is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' or (byte)'#';

    /// <summary>A PNG's letters behind something else than 0x89, or before other line ends than its own.</summary>
    static bool IsDamagedPng(ReadOnlySpan<byte> content) =>
        content[..Math.Min(content.Length, 6)].IndexOf("PNG"u8) is >= 0 and <= 3 and var at
        && content[(at + 3)..] is var rest && (rest.StartsWith("\r"u8) || rest.StartsWith("\n"u8))
        && rest[..Math.Min(rest.Length, 24)].IndexOf("IHDR"u8) >= 0;

    /// <summary>TGA has no signature: a type, a colour map or none, and a depth that go together.</summary>
    static bool IsTarga(ReadOnlySpan<byte> content) =>
        content.Length > 18
        && (content[^18..].StartsWith("TRUEVISION-XFILE."u8)
            || (content[1] is 0 or 1 && content[2] is 1 or 2 or 3 or 9 or 10 or 11 && content[16] is 8 or 16 or 24 or 32
                && (content[1] == 1) == (content[2] is 1 or 9) && (content[12] | content[13]) != 0
                    && (content[14] | content[15]) != 0));

    /// <summary>The brands of an ISO media file's first box; null where it is none.</summary>
    static HashSet<string>? Brands(ReadOnlySpan<byte> content)
    {
        if (!At(content, 4, "ftyp"u8) || content.Length < 12) return null;
        var end = (int)Math.Min(Math.Min(BinaryPrimitives.ReadUInt32BigEndian(content), 256), content.Length);
        HashSet<string> brands = [Encoding.Latin1.GetString(content[8..12])];
        for (var at = 16; at + 4 <= end; at += 4) brands.Add(Encoding.Latin1.GetString(content.Slice(at, 4)));
        return brands;
    }

    /// <summary>Printable text in one line; null where the bytes are none.</summary>
    static string? Text(ReadOnlySpan<byte> start)
    {
        var text = Encoding.UTF8.GetString(start).TrimEnd('\uFFFD'); // the last letter may be cut
        text = string.Join(' ', text.Split(['\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries)).Trim();
        return text.Length > 0 && !text.Any(letter => char.IsControl(letter) || letter == '\uFFFD') ? text : null;
    }
}
