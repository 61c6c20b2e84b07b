using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace VaeFunctions.Tests.Imaging;

/// <summary>Small writers of files as other programs write them, whole and broken.</summary>
static class Encodings
{
    public static readonly byte[] PngSignature = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    // The seven passes of Adam7: first column and row, and the steps to the next.
    static readonly (int X, int Y, int StepX, int StepY)[] Passes =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    /// <summary>A PNG of 8 or 16 bits a sample, unfiltered.</summary>
    /// <param name="type">0 grey, 2 RGB, 4 grey and alpha, 6 RGB and alpha.</param>
    /// <param name="sample">The sample of a column, row and channel.</param>
    /// <param name="chunks">What stands between the header and the pixels.</param>
    public static byte[] Png(
        int width, int height, int type, int bits, Func<int, int, int, int> sample, bool interlaced = false,
        params byte[][] chunks)
    {
        var channels = type switch { 0 => 1, 2 => 3, 4 => 2, _ => 4 };
        var rows = new MemoryStream();
        foreach (var (left, top, stepX, stepY) in interlaced ? Passes : [(0, 0, 1, 1)])
        {
            for (var y = top; y < height && left < width; y += stepY)
            {
                rows.WriteByte(0);
                for (var x = left; x < width; x += stepX)
                {
                    for (var c = 0; c < channels; c++)
                    {
                        var value = sample(x, y, c);
                        if (bits == 16) rows.WriteByte((byte)(value >> 8));
                        rows.WriteByte((byte)value);
                    }
                }
            }
        }
        byte[] header = [.. Big((uint)width), .. Big((uint)height), (byte)bits, (byte)type, 0, 0, (byte)(interlaced ? 1 : 0)];
        return
        [
            .. PngSignature, .. Chunk("IHDR", header), .. chunks.SelectMany(chunk => chunk), .. Chunk(
                "IDAT", Deflate(rows.ToArray())),
            .. Chunk("IEND", []),
        ];
    }

    public static byte[] Chunk(string type, byte[] data)
    {
        byte[] named = [.. Encoding.ASCII.GetBytes(type), .. data];
        return [.. Big((uint)data.Length), .. named, .. Big(Crc32.HashToUInt32(named))];
    }

    public static byte[] Deflate(byte[] data)
    {
        var deflated = new MemoryStream();
        using (var stream = new ZLibStream(deflated, CompressionLevel.Optimal)) stream.Write(data);
        return deflated.ToArray();
    }

    /// <summary>An EXIF block of one entry: how the camera was held.</summary>
    /// <param name="type">3 is SHORT, as it should be; some programs write 4, LONG.</param>
    public static byte[] Exif(byte orientation, byte type = 3) =>
    [
        .. "MM\0*\0\0\0\u0008"u8, 0, 1, 0x01, 0x12, 0, type, 0, 0, 0, 1,
        .. type == 3 ? (byte[])[0, orientation, 0, 0] : [0, 0, 0, orientation], 0, 0, 0, 0,
    ];

    public static byte[] Segment(byte marker, byte[] content) =>
        [0xFF, marker, (byte)((content.Length + 2) >> 8), (byte)(content.Length + 2), .. content];

    /// <summary>A JPEG with something put right after its first marker.</summary>
    public static byte[] Insert(byte[] jpeg, params byte[] after) => [.. jpeg[..2], .. after, .. jpeg[2..]];

    /// <summary>A JPEG's segments before its first scan, each with its marker, and the rest.</summary>
    public static (List<byte[]> Segments, byte[] Coded) Split(byte[] jpeg)
    {
        var segments = new List<byte[]>();
        var at = 2;
        while (jpeg[at + 1] != 0xDA)
        {
            var length = 2 + BinaryPrimitives.ReadUInt16BigEndian(jpeg.AsSpan(at + 2));
            segments.Add(jpeg[at..(at + length)]);
            at += length;
        }
        return (segments, jpeg[at..]);
    }

    /// <summary>A JPEG without the segments of a marker that stand before its first scan.</summary>
    public static byte[] Without(byte[] jpeg, byte marker)
    {
        var (segments, rest) = Split(jpeg);
        return [0xFF, 0xD8, .. segments.Where(segment => segment[1] != marker).SelectMany(segment => segment), .. rest];
    }

    /// <summary>A JPEG of one colour in four inks whose planes are stored at different scales.</summary>
    /// <param name="stored">The value of each plane.</param>
    /// <param name="sampling">Blocks of each plane in a unit: across in the upper four bits, down in the lower.</param>
    public static byte[] CmykJpeg(int width, int height, byte[] stored, byte[] sampling)
    {
        // Quantised by 8, a flat block's only coefficient is its value less 128. Its size in bits is coded in four bits, and one
        // bit says that nothing follows.
        var bits = new System.Text.StringBuilder();
        int Across(byte of) => of >> 4;
        int Down(byte of) => of & 15;
        int Units(int length, int most) => (length + 8 * most - 1) / (8 * most);
        var units = Units(width, sampling.Max(Across)) * Units(height, sampling.Max(Down));
        for (var unit = 0; unit < units; unit++)
        {
            for (var plane = 0; plane < 4; plane++)
            {
                for (var block = 0; block < Across(sampling[plane]) * Down(sampling[plane]); block++)
                {
                    var value = unit + block == 0 ? stored[plane] - 128 : 0; // later blocks differ by nothing
                    var size = 32 - System.Numerics.BitOperations.LeadingZeroCount((uint)Math.Abs(value));
                    bits.Append(Convert.ToString(size, 2).PadLeft(4, '0'));
                    if (size > 0)
                        bits.Append(Convert.ToString(value > 0 ? value : value + (1 << size) - 1, 2).PadLeft(size, '0'));
                    bits.Append('0');
                }
            }
        }
        var coded = bits.Append('1', -bits.Length & 7).ToString().Chunk(8).Select(octet => Convert.ToByte(new string(octet), 2))
            .SelectMany(octet => octet == 0xFF ? (byte[])[0xFF, 0] : [octet]);
        return
        [
            0xFF, 0xD8, .. Segment(0xEE, [.. "Adobe"u8, 0, 100, 0, 0, 0, 0, 0]), .. Segment(
                0xDB, [0, .. Enumerable.Repeat((byte)8, 64)]),
            .. Segment(0xC0, [8, (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, 4,
                .. sampling.SelectMany((byte of, int i) => (byte[])[(byte)(i + 1), of, 0])]),
            .. Segment(0xC4, [0x00, 0, 0, 0, 9, .. new byte[12], 0, 1, 2, 3, 4, 5, 6, 7, 8]),
            .. Segment(0xC4, [0x10, 1, .. new byte[15], 0]),
            .. Segment(0xDA, [4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0]), .. coded, 0xFF, 0xD9,
        ];
    }

    /// <summary>A WebP with EXIF around the picture of a simple one.</summary>
    public static byte[] WebPWithExif(byte[] simple, int width, int height, byte[] exif)
    {
        byte[] body =
        [
            .. "WEBP"u8, .. "VP8X"u8, .. Little(10), 8, 0, 0, 0, .. Little((uint)width - 1)[..3],
            .. Little((uint)height - 1)[..3],
            .. simple[12..], .. "EXIF"u8, .. Little((uint)exif.Length), .. exif, .. new byte[exif.Length & 1],
        ];
        return [.. "RIFF"u8, .. Little((uint)body.Length), .. body];
    }

    /// <summary>An ICC profile of three primaries and a power: XYZ below D50, and the exponent of all three channels.</summary>
    public static byte[] MatrixProfile((double X, double Y, double Z) red, (double X, double Y, double Z) green,
        (double X, double Y, double Z) blue, double gamma)
    {
        byte[] Xyz((double X, double Y, double Z) of) => [.. "XYZ \0\0\0\0"u8, .. Fixed(of.X), .. Fixed(of.Y), .. Fixed(of.Z)];
        byte[] curve = [.. "curv\0\0\0\0"u8, .. Big(1), (byte)(int)gamma, (byte)((gamma - (int)gamma) * 256), 0, 0];
        return IccProfile("RGB ", "XYZ ", "mntr",
            ("desc", Description()), ("wtpt", Xyz((0.9642, 1, 0.8249))), ("rXYZ", Xyz(red)), ("gXYZ", Xyz(green)),
            ("bXYZ", Xyz(blue)),
            ("rTRC", curve), ("gTRC", curve), ("bTRC", curve));
    }

    /// <summary>An ICC profile that says of every corner of the inks' cube which Lab it prints.</summary>
    public static byte[] InkProfile(Func<bool, bool, bool, bool, (double L, double A, double B)> lab)
    {
        byte[] identity = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        byte[] table =
        [
            .. "mft1\0\0\0\0"u8, 4, 3, 2, 0, .. new[] { 1, 0, 0, 0, 1, 0, 0, 0, 1 }.SelectMany(value => Fixed(value)),
            .. identity, .. identity, .. identity, .. identity,
            .. Enumerable.Range(0, 16).SelectMany(i =>
            {
                var (l, a, b) = lab((i & 8) != 0, (i & 4) != 0, (i & 2) != 0, (i & 1) != 0);
                return (byte[])[(byte)Math.Round(l * 2.55), (byte)Math.Round(a + 128), (byte)Math.Round(b + 128)];
            }),
            .. identity, .. identity, .. identity,
        ];
        return IccProfile("CMYK", "Lab ", "prtr", ("desc", Description()),
            ("wtpt", [.. "XYZ \0\0\0\0"u8, .. Fixed(0.9642), .. Fixed(1), .. Fixed(0.8249)]),
            ("A2B0", table), ("A2B1", table));
    }

    static byte[] IccProfile(string space, string connection, string kind, params (string Name, byte[] Data)[] tags)
    {
        var at = 128 + 4 + 12 * tags.Length;
        var (table, data) = (new List<byte>(), new List<byte>());
        foreach (var (name, content) in tags)
        {
            table.AddRange([.. Encoding.ASCII.GetBytes(name), .. Big((uint)(at + data.Count)), .. Big((uint)content.Length)]);
            data.AddRange([.. content, .. new byte[-content.Length & 3]]);
        }
        byte[] header =
        [
            .. Big((uint)(at
                + data.Count)), .. "test"u8, 2, 0x40, 0, 0, .. Encoding.ASCII.GetBytes(kind), .. Encoding.ASCII.GetBytes(space),
            .. Encoding.ASCII.GetBytes(connection), 7, 0xE0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, .. "acsp"u8, .. new byte[28],
            .. Fixed(0.9642), .. Fixed(1), .. Fixed(0.8249), .. new byte[48],
        ];
        return [.. header, .. Big((uint)tags.Length), .. table, .. data];
    }

    static byte[] Description() => [.. "desc\0\0\0\0"u8, .. Big(5), .. "test\0"u8, .. new byte[12 + 67]];

    static byte[] Fixed(double value) => Big((uint)(int)Math.Round(value * 65536));

    public static byte[] Big(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    public static byte[] Little(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }
}
