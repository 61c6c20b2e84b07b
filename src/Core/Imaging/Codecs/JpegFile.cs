using System.Buffers.Binary;

namespace VaeFunctions.Imaging.Codecs;

/// <summary>
/// A JPEG's segments, walked without decoding, so that a decoder sees a whole file without surprises. (ITU-T T.81, annex B)
/// </summary>
internal static class JpegFile
{
    const byte StartOfImage = 0xD8, EndOfImage = 0xD9, StartOfScan = 0xDA;

    /// <summary>Every scan of a progressive file goes over the whole picture: cameras and programs write up to some 12.</summary>
    const int MaxScans = 100;

    /// <summary>Scans times pixels: 25 scans of 40 megapixels.</summary>
    const long MaxScannedPixels = 1_000_000_000;

    /// <summary>
    /// The file with what pictures are made of, and nothing else: up to its end marker, without comments, previews and other
    /// programs' data.
    /// </summary>
    /// <remarks>
    /// Stray bytes between segments are left out on purpose: some cameras write them, and nothing of the picture lies there.
    /// Stray bytes within the picture make the decoder warn, and a file that it warns about is refused.
    /// </remarks>
    /// <exception cref="ImageFormatException">It ends too early, has no size, or would take too much work.</exception>
    public static byte[] Inspect(ReadOnlySpan<byte> encoded)
    {
        var kept = new MemoryStream(encoded.Length);
        kept.Write([0xFF, StartOfImage]);
        var (scans, pixels, hasExif) = (0, 0L, false);
        var done = new Dictionary<byte, ulong>(); // of each component, the coefficients whose last bit has come
        for (var at = 2; ;)
        {
            var marker = NextMarker(encoded, ref at);
            if (marker == EndOfImage) break;
            if (marker == StartOfImage) throw Broken("a second image begins within it");
            var length = at + 2 <= encoded.Length ? BinaryPrimitives.ReadUInt16BigEndian(encoded[at..]) : throw CutShort();
            if (length < 2) throw Broken("a segment is shorter than its own length");
            if (length > encoded.Length - at) throw CutShort();
            var segment = encoded.Slice(at, length);
            if (IsFrame(marker))
            {
                if (pixels > 0) throw Broken("it has two frames");
                if (length < 8 || length < 8 + 3 * segment[7]) throw Broken("its frame is too short");
                pixels = (long)BinaryPrimitives.ReadUInt16BigEndian(segment[3..])
                    * BinaryPrimitives.ReadUInt16BigEndian(segment[5..]);
                if (pixels == 0) throw Broken("its frame says that a side is 0 pixels long");
                for (var i = 0; i < segment[7]; i++) done[segment[8 + 3 * i]] = 0;
            }
            var end = at + length;
            if (marker == StartOfScan)
            {
                if (++scans > MaxScans || scans * pixels > MaxScannedPixels)
                    throw new ImageFormatException(
                        $"The JPEG goes over its {pixels:N0} pixels more than {scans - 1} times; at most {MaxScans} scans and "
                        + $"{MaxScannedPixels:N0} scanned pixels are accepted. Save it again as a usual JPEG.");
                Note(segment, done);
                end = EndOfScan(encoded, end);
            }
            if (IsNeeded(marker, segment[2..], ref hasExif))
            {
                kept.Write([0xFF, marker]);
                kept.Write(encoded[at..end]);
            }
            at = end;
        }
        if (done.Count == 0 || done.Values.Any(coefficients => coefficients != ulong.MaxValue))
            throw Broken("some of its scans are missing");
        kept.Write([0xFF, EndOfImage]);
        return kept.ToArray();
    }

    /// <summary>The next marker's code; after it lies its segment. Any number of 0xFF may stand before it.</summary>
    static byte NextMarker(ReadOnlySpan<byte> encoded, ref int at)
    {
        while (true)
        {
            at += encoded[at..].IndexOf((byte)0xFF) is >= 0 and var stray ? stray : throw CutShort();
            at += encoded[at..].IndexOfAnyExcept((byte)0xFF) is > 0 and var fill ? fill : throw CutShort();
            var marker = encoded[at++];
            if (marker is not (0 or 1 or >= 0xD0 and <= 0xD7)) return marker; // those stand alone, within scans
        }
    }

    /// <summary>Where the marker after a scan's coded data begins: 0xFF, but not a coded 0xFF and not a restart.</summary>
    static int EndOfScan(ReadOnlySpan<byte> encoded, int at)
    {
        while (encoded[at..].IndexOf((byte)0xFF) is >= 0 and var next && at + next + 1 < encoded.Length)
        {
            at += next;
            if (encoded[at + 1] is not (0 or 0xFF or >= 0xD0 and <= 0xD7)) return at;
            at += encoded[at + 1] == 0xFF ? 1 : 2;
        }
        throw CutShort();
    }

    /// <summary>
    /// Marks what a scan completes: its components' coefficients from one to another, where it comes down to their last bit.
    /// </summary>
    static void Note(ReadOnlySpan<byte> segment, Dictionary<byte, ulong> done)
    {
        var components = segment.Length > 2 ? segment[2] : 0;
        if (segment.Length < 6 + 2 * components || components == 0) throw Broken("the header of a scan is too short");
        var (first, last, lowestBit) = (segment[^3], segment[^2], segment[^1] & 15);
        if (first > last || last > 63) throw Broken("a scan is of no coefficients");
        if (lowestBit != 0) return;
        var coefficients = ulong.MaxValue << first & ulong.MaxValue >> (63 - last);
        for (var i = 0; i < components; i++)
        {
            var component = segment[3 + 2 * i];
            if (!done.TryGetValue(component, out var before)) throw Broken("a scan is of a component that its frame lacks");
            done[component] = before | coefficients;
        }
    }

    static bool IsFrame(byte marker) => marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC);

    static bool IsNeeded(byte marker, ReadOnlySpan<byte> content, ref bool hasExif)
    {
        switch (marker)
        {
            case 0xE0: // JFIF
                return true;
            case 0xE1 when content.StartsWith("Exif\0\0"u8) && !hasExif:
                return hasExif = true;
            case 0xE2:
                return content.StartsWith("ICC_PROFILE\0"u8);
            case 0xEE:
                return content.StartsWith("Adobe"u8);
            default:
                return marker is >= 0xC0 and < 0xE0;
        }
    }

    static ImageFormatException Broken(string what) => new($"The JPEG is broken: {what}. Send the file again, complete.");

    static ImageFormatException CutShort() =>
        new("The JPEG is cut short: its end marker is missing. Send the file again, complete.");
}
