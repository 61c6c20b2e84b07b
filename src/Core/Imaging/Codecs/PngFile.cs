using System.Buffers.Binary;

namespace VaeFunctions.Imaging.Codecs;

/// <summary>A PNG's chunks, walked without decoding, so that a decoder sees a whole file without surprises.</summary>
/// <remarks>https://www.w3.org/TR/png-3/#5Chunk-layout. Texts are left out, which may inflate to anything.</remarks>
/// <param name="Content">The file with the chunks that pixels need.</param>
/// <param name="Space">The colour space that its chunks name; null for sRGB, or where a profile says more.</param>
internal sealed record PngFile(byte[] Content, ColourSpace? Space)
{
    const int Frame = 12; // a chunk's length, type and checksum

    /// <exception cref="ImageFormatException">It ends too early, or its header is no PNG's.</exception>
    public static PngFile Inspect(ReadOnlySpan<byte> encoded)
    {
        var kept = new MemoryStream(encoded.Length);
        kept.Write(PngWriter.Signature);
        var (hasProfile, isSrgb) = (false, false);
        ColourSpace? coded = null;
        (double? Gamma, Primaries? Primaries) measured = default;
        for (var at = PngWriter.Signature.Length; ;)
        {
            if (encoded.Length - at < Frame) throw CutShort();
            var length = BinaryPrimitives.ReadUInt32BigEndian(encoded[at..]);
            if (length > encoded.Length - at - Frame) throw CutShort();
            var type = encoded.Slice(at + 4, 4);
            var data = encoded.Slice(at + 8, (int)length);
            if (at == PngWriter.Signature.Length && !(type.SequenceEqual("IHDR"u8) && length == 13))
                throw new ImageFormatException(
                    "The PNG is broken: it does not begin with a header. Send the file again, complete.");
            if (type.SequenceEqual("iCCP"u8)) hasProfile = true;
            else if (type.SequenceEqual("sRGB"u8)) isSrgb = true;
            else if (type.SequenceEqual("cICP"u8) && length == 4) coded = ColourSpace.FromCodes(data[0], data[1]);
            else if (type.SequenceEqual("gAMA"u8) && length == 4 && Number(data) is > 0 and var gamma) measured.Gamma = gamma;
            else if (type.SequenceEqual("cHRM"u8) && length == 32) measured.Primaries = ReadPrimaries(data);
            if (IsNeeded(type)) kept.Write(encoded.Slice(at, (int)length + Frame));
            at += (int)length + Frame;
            if (type.SequenceEqual("IEND"u8)) break;
        }
        var space = coded ?? (hasProfile || isSrgb ? null : ColourSpace.FromGamma(measured.Gamma, measured.Primaries));
        return new PngFile(kept.ToArray(), space);
    }

    /// <summary>Critical chunks, whose first letter is a capital, and those that say more of the pixels.</summary>
    static bool IsNeeded(ReadOnlySpan<byte> type) =>
        (type[0] & 0x20) == 0 || type.SequenceEqual("tRNS"u8) || type.SequenceEqual("iCCP"u8) || type.SequenceEqual("eXIf"u8);

    static Primaries ReadPrimaries(ReadOnlySpan<byte> data) =>
        new(new(Number(data[8..]), Number(data[12..])), new(Number(data[16..]), Number(data[20..])),
            new(Number(data[24..]), Number(data[28..])), new(Number(data), Number(data[4..])));

    static float Number(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadUInt32BigEndian(data) / 100_000f;

    static ImageFormatException CutShort() =>
        new("The PNG is cut short: a chunk of it is longer than the rest of the file, or its end is missing. Send the file "
            + "again, complete.");
}
