namespace VaeFunctions.Imaging.Codecs;

/// <summary>PBM, PGM and PPM, as text (P1 to P3) or in bytes (P4 to P6), with up to 16 bits a sample.</summary>
/// <remarks>https://netpbm.sourceforge.net/doc/pnm.html</remarks>
internal sealed class PnmDecoder : IDecoder
{
    readonly byte[] content;
    readonly int kind, most, pixelsAt; // kind: 1 bits, 2 grey, 3 colours
    readonly bool isText;

    PnmDecoder(byte[] content)
    {
        this.content = content;
        var digit = content[1] - '0';
        (isText, kind) = (digit <= 3, (digit - 1) % 3 + 1);
        var at = 2;
        (Width, Height, most) = (ReadNumber(ref at), ReadNumber(ref at), kind == 1 ? 1 : ReadNumber(ref at));
        if (Width == 0 || Height == 0 || most is 0 or > ushort.MaxValue)
            throw Broken($"its header says {Width}×{Height} pixels of 0 to {most}");
        pixelsAt = at + 1; // one space ends the header
        var rowBytes = isText ? 0 : kind == 1 ? (Width + 7L) / 8 : (long)Width * Channels * SampleBytes;
        if (rowBytes * Height > content.Length - pixelsAt)
            throw Broken($"{content.Length:N0} bytes are too few for {Width}×{Height} pixels");
    }

    public ImageFormat Format => ImageFormat.Pnm;

    public int Width { get; }

    public int Height { get; }

    public (int Width, int Height) UprightSize => (Width, Height);

    int Channels => kind == 3 ? 3 : 1;

    int SampleBytes => most > byte.MaxValue ? 2 : 1;

    /// <exception cref="ImageFormatException">It is cut short, or its header makes no sense.</exception>
    public static PnmDecoder Open(ReadOnlySpan<byte> encoded) => new(encoded.ToArray());

    public void Dispose()
    {
    }

    public Image Decode(int shrink = 1)
    {
        var row = Width * Channels;
        // a digit each
        if (isText && (long)row * Height > content.Length - pixelsAt + 1L) throw Broken("it ends before its pixels do");
        var pixels = new byte[row * Height];
        var at = isText ? pixelsAt - 1 : pixelsAt;
        for (var i = 0; i < pixels.Length; i++)
        {
            var value = isText ? kind == 1 ? ReadBit(ref at) : ReadNumber(ref at)
                : kind == 1 ? content[pixelsAt + i / row * ((row + 7) / 8) + i % row / 8] >> (7 - i % row % 8) & 1
                : SampleBytes == 2 ? content[at + 2 * i] << 8 | content[at + 2 * i + 1]
                : content[at + i];
            if (value > most) throw Broken($"a sample is {value}, above the {most} that its header says");
            pixels[i] = (byte)(kind == 1 ? 255 * (1 - value) : (value * 255L + most / 2) / most); // of bits, 1 is black
        }
        return new Image(Width, Height, Channels, pixels);
    }

    /// <summary>The next number, behind spaces and comments, which go from # to the end of their line.</summary>
    int ReadNumber(ref int at)
    {
        SkipSpace(ref at);
        var (start, value) = (at, 0L);
        for (; at < content.Length && content[at] is >= (byte)'0' and <= (byte)'9' && value <= int.MaxValue; at++)
            value = 10 * value + content[at] - '0';
        return at > start && value <= int.MaxValue
            ? (int)value
            : throw Broken(at < content.Length ? "a number is missing or too large" : "it ends too early");
    }

    /// <summary>The next 0 or 1; they need no space between them.</summary>
    int ReadBit(ref int at)
    {
        SkipSpace(ref at);
        return at < content.Length && content[at] is (byte)'0' or (byte)'1'
            ? content[at++] - '0'
            : throw Broken("a bit is missing");
    }

    void SkipSpace(ref int at)
    {
        for (; at < content.Length && (content[at] is (byte)' ' or (>= 9 and <= 13) or (byte)'#'); at++)
            if (content[at] == '#')
                at += content.AsSpan(at).IndexOfAny((byte)'\n', (byte)'\r') is >= 0 and var line ? line : content.Length - at - 1;
    }

    static ImageFormatException Broken(string what) =>
        new($"The PNM is broken or cut short: {what}. Send the file again, complete.");
}
