using VaeFunctions.Imaging;

namespace VaeFunctions.Tests.Imaging;

/// <summary>The committed pictures, and the picture they all show.</summary>
static class Fixture
{
    public const int Width = 48, Height = 40;

    public static byte[] Read(string name)
    {
        using var stream = typeof(Fixture).Assembly.GetManifestResourceStream(name) ?? throw new FileNotFoundException(name);
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }

    public static Image Decode(string name) => ImageCodec.Decode(Read(name));

    /// <summary>The formula of Fixtures/README.md.</summary>
    public static Image Picture()
    {
        var pixels = new byte[Width * Height * 3];
        for (var y = 0; y < Height; y++)
            for (var x = 0; x < Width; x++)
                ((ReadOnlySpan<byte>)[(byte)(5 * x), (byte)(6 * y),
                    (byte)((x - 24) * (x - 24) + (y - 20) * (y - 20) < 144 ? 255 : 40)])
                    .CopyTo(pixels.AsSpan(3 * (y * Width + x)));
        return new Image(Width, Height, 3, pixels);
    }

    /// <summary>Mean and largest difference of two images' bytes.</summary>
    public static (double Mean, int Largest) Difference(Image left, Image right)
    {
        Assert.Equal(left.Shape, right.Shape);
        var differences = left.Pixels.Zip(right.Pixels, (a, b) => Math.Abs(a - b)).ToArray();
        return (differences.Average(), differences.Max());
    }
}
