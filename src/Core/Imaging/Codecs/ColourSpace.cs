using System.Numerics;

namespace VaeFunctions.Imaging.Codecs;

/// <summary>Where a colour space's red, green, blue and white lie in the CIE 1931 diagram: x and y.</summary>
internal sealed record Primaries(Vector2 Red, Vector2 Green, Vector2 Blue, Vector2 White)
{
    static readonly Vector2 D65 = new(0.3127f, 0.3290f);

    public static Primaries Srgb { get; } = new(new(0.64f, 0.33f), new(0.30f, 0.60f), new(0.15f, 0.06f), D65);

    /// <summary>By the number of ITU-T H.273, 8.1; null for those that are hardly met.</summary>
    public static Primaries? FromCode(int code) => code switch
    {
        1 => Srgb,
        9 => new(new(0.708f, 0.292f), new(0.170f, 0.797f), new(0.131f, 0.046f), D65), // BT.2020
        11 => new(new(0.680f, 0.320f), new(0.265f, 0.690f), new(0.150f, 0.060f), new(0.314f, 0.351f)), // DCI-P3
        12 => new(new(0.680f, 0.320f), new(0.265f, 0.690f), new(0.150f, 0.060f), D65), // Display P3
        _ => null,
    };

    /// <summary>Takes linear RGB, a row, to XYZ relative to white; null where the points span no space.</summary>
    public Matrix4x4? ToXyz()
    {
        if (Red.Y <= 0 || Green.Y <= 0 || Blue.Y <= 0 || White.Y <= 0) return null;
        Vector3 red = Xyz(Red), green = Xyz(Green), blue = Xyz(Blue);
        var unscaled = Rows(red, green, blue);
        if (!Matrix4x4.Invert(unscaled, out var inverse)) return null;
        var white = Xyz(White);
        var scale = Vector3.Transform(white, inverse);
        return Rows(red * scale.X, green * scale.Y, blue * scale.Z) * Matrix4x4.CreateScale(Vector3.One / white);
    }

    static Vector3 Xyz(Vector2 point) => new(point.X / point.Y, 1, (1 - point.X - point.Y) / point.Y);

    static Matrix4x4 Rows(Vector3 x, Vector3 y, Vector3 z) =>
        new(x.X, x.Y, x.Z, 0, y.X, y.Y, y.Z, 0, z.X, z.Y, z.Z, 0, 0, 0, 0, 1);
}

/// <summary>A colour space that a file names by numbers rather than by a profile, and the way from it to sRGB.</summary>
/// <param name="ToLinear">From what is stored, 0 to 1, to light.</param>
internal sealed record ColourSpace(Func<double, double> ToLinear, Primaries? Primaries)
{
    /// <summary>As for gAMA in libpng: what differs less from sRGB's 1 / 2.2 is taken for it.</summary>
    const double LeastDifference = 0.05, UsualGamma = 1 / 2.2;

    /// <summary>The space of PNG's gAMA and cHRM; null where that is sRGB.</summary>
    public static ColourSpace? FromGamma(double? gamma, Primaries? primaries)
    {
        var isUsual = gamma is null || Math.Abs(gamma.Value / UsualGamma - 1) < LeastDifference;
        if (gamma is null || (isUsual && (primaries is null || IsSrgb(primaries)))) return null;
        var exponent = 1 / gamma.Value;
        return new(isUsual ? LightOfSrgb : value => Math.Pow(value, exponent),
            primaries is null || IsSrgb(primaries) ? null : primaries);
    }

    /// <summary>
    /// The space of coding-independent code points; null where that is sRGB, or a transfer that is none of a picture for screens.
    /// </summary>
    /// <remarks>ITU-T H.273, 8.1 and 8.2</remarks>
    public static ColourSpace? FromCodes(int primaries, int transfer)
    {
        Func<double, double>? toLinear = transfer switch
        {
            1 or 6 or 13 or 14 or 15 => LightOfSrgb, // video's curve is meant for the same screens
            4 => value => Math.Pow(value, 2.2),
            5 => value => Math.Pow(value, 2.8),
            8 => value => value,
            _ => null,
        };
        var named = Primaries.FromCode(primaries);
        if (toLinear is null || named is null) return null;
        return toLinear == LightOfSrgb && named == Primaries.Srgb ? null : new(toLinear, named == Primaries.Srgb ? null : named);
    }

    /// <summary>Brings samples, some channels a pixel, to sRGB; the last of two or four is alpha and stays.</summary>
    /// <param name="most">The value that stands for 1.</param>
    public void ToSrgb<T>(Span<T> samples, int channels, int most) where T : INumber<T>
    {
        var light = new float[most + 1];
        for (var i = 0; i <= most; i++) light[i] = (float)ToLinear((double)i / most);
        // By the root of the light, so that the table is as fine in the dark as the eye is.
        var coded = new T[1 << 14];
        for (var i = 0; i < coded.Length; i++)
            coded[i] = T.CreateTruncating(Math.Round(most * SrgbOfLight(Math.Pow((double)i / (coded.Length - 1), 2))));

        var matrix = channels >= 3 && Primaries?.ToXyz() is { } toXyz
            && Matrix4x4.Invert(Primaries.Srgb.ToXyz()!.Value, out var fromXyz)
            ? toXyz * fromXyz
            : Matrix4x4.Identity;
        var colours = channels >= 3 ? 3 : 1;
        for (var at = 0; at < samples.Length; at += channels)
        {
            var pixel = samples.Slice(at, colours);
            if (colours == 1)
            {
                pixel[0] = Code(Light(pixel[0]));
                continue;
            }
            var rgb = Vector3.Transform(new Vector3(Light(pixel[0]), Light(pixel[1]), Light(pixel[2])), matrix);
            (pixel[0], pixel[1], pixel[2]) = (Code(rgb.X), Code(rgb.Y), Code(rgb.Z));
        }

        float Light(T value) => light[int.CreateTruncating(value)];
        T Code(float value) => coded[(int)MathF.Round(MathF.Sqrt(Math.Clamp(value, 0, 1)) * (coded.Length - 1))];
    }

    static bool IsSrgb(Primaries primaries) =>
        Near(primaries.Red, Primaries.Srgb.Red) && Near(primaries.Green, Primaries.Srgb.Green)
            && Near(primaries.Blue, Primaries.Srgb.Blue)
        && Near(primaries.White, Primaries.Srgb.White);

    static bool Near(Vector2 left, Vector2 right) => Vector2.Distance(left, right) < 0.005f;

    // IEC 61966-2-1
    static double LightOfSrgb(double value) => value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4);

    static double SrgbOfLight(double light) => light <= 0.0031308 ? 12.92 * light : 1.055 * Math.Pow(light, 1 / 2.4) - 0.055;
}
