using System.Numerics;
using System.Runtime.CompilerServices;
using VaeFunctions.Imaging;

namespace VaeFunctions.Data.Faces;

/// <summary>
/// Paints shapes over each other with soft edges. The largest centred square spans −1 to 1 both ways, x to the right and y down;
/// colours are red, green and blue from 0 to 1.
/// </summary>
sealed class Canvas(ImageShape shape)
{
    readonly Vector3[] pixels = new Vector3[shape.Width * shape.Height];
    readonly float scale = Math.Min(shape.Width, shape.Height) / 2f;

    public void Clear(Vector3 colour) => Array.Fill(pixels, colour);

    /// <summary>
    /// Each pixel takes as much of the colour as the shape covers of it, which its distance from the edge tells.
    /// </summary>
    public void Fill<TForm>(TForm form, Vector3 colour, float opacity = 1) where TForm : struct, IForm
    {
        var (low, high) = (form.Low - new Vector2(1 / scale), form.High + new Vector2(1 / scale));
        var (left, right) = (Column(low.X), Column(high.X));
        var (top, bottom) = (Row(low.Y), Row(high.Y));
        for (var y = top; y <= bottom; y++)
        {
            for (var x = left; x <= right; x++)
            {
                var point = new Vector2(x + 0.5f - shape.Width / 2f, y + 0.5f - shape.Height / 2f) / scale;
                var cover = Math.Clamp(0.5f - form.Distance(point) * scale, 0, 1) * opacity;
                if (cover > 0) pixels[y * shape.Width + x] = Mix(pixels[y * shape.Width + x], colour, cover);
            }
        }
    }

    /// <summary>(1 − t) a + t b, rounded alike on every processor, which Vector3.Lerp does not promise.</summary>
    public static Vector3 Mix(Vector3 a, Vector3 b, float t) => a + (b - a) * t;

    public Image ToImage()
    {
        var bytes = new byte[pixels.Length * 3];
        for (var i = 0; i < pixels.Length; i++)
            for (var c = 0; c < 3; c++)
                bytes[3 * i + c] = (byte)(Math.Clamp(pixels[i][c], 0, 1) * 255 + 0.5f);
        return new Image(shape.Width, shape.Height, 3, bytes).ToChannels(shape.Channels);
    }

    int Column(float x) => (int)Math.Clamp(x * scale + shape.Width / 2f, 0, shape.Width - 1);

    int Row(float y) => (int)Math.Clamp(y * scale + shape.Height / 2f, 0, shape.Height - 1);
}

/// <summary>A flat form, known by the signed distance from its edge: negative inside. (Quilez, "2D distance functions")</summary>
interface IForm
{
    /// <summary>The corner of its bounding box with the least coordinates.</summary>
    Vector2 Low { get; }

    Vector2 High { get; }

    float Distance(Vector2 point);
}

readonly record struct Ellipse(Vector2 Centre, Vector2 Radii) : IForm
{
    public Vector2 Low => Centre - Radii;

    public Vector2 High => Centre + Radii;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Distance(Vector2 point)
    {
        var unit = (point - Centre) / Radii;
        var length = unit.Length();
        return length < 1e-4f ? -Math.Min(Radii.X, Radii.Y) : length * (length - 1) / (unit / Radii).Length();
    }
}

/// <summary>The line of an ellipse, so thick.</summary>
readonly record struct Ring(Ellipse Line, float Thickness) : IForm
{
    public Vector2 Low => Line.Low - new Vector2(Thickness);

    public Vector2 High => Line.High + new Vector2(Thickness);

    public float Distance(Vector2 point) => Math.Abs(Line.Distance(point)) - Thickness / 2;
}

/// <summary>A rectangle with round corners.</summary>
readonly record struct Box(Vector2 Centre, Vector2 HalfSize, float Corner) : IForm
{
    public Vector2 Low => Centre - HalfSize;

    public Vector2 High => Centre + HalfSize;

    public float Distance(Vector2 point)
    {
        var beyond = Vector2.Abs(point - Centre) - HalfSize + new Vector2(Corner);
        return Vector2.Max(beyond, Vector2.Zero).Length() + Math.Min(Math.Max(beyond.X, beyond.Y), 0) - Corner;
    }
}

/// <summary>A line with round ends.</summary>
readonly record struct Stroke(Vector2 From, Vector2 To, float Thickness) : IForm
{
    public Vector2 Low => Vector2.Min(From, To) - new Vector2(Thickness);

    public Vector2 High => Vector2.Max(From, To) + new Vector2(Thickness);

    public float Distance(Vector2 point)
    {
        var (along, offset) = (To - From, point - From);
        return (offset - along * Math.Clamp(Vector2.Dot(offset, along) / along.LengthSquared(), 0, 1)).Length() - Thickness / 2;
    }
}

/// <summary>
/// Between two parabolas over the same chord: y = Centre.Y + bend · (1 − (x / HalfWidth)²), with an upper and a lower bend.
/// </summary>
readonly record struct Lips(Vector2 Centre, float HalfWidth, float Upper, float Lower, float Thickness) : IForm
{
    public Vector2 Low => Centre + new Vector2(-HalfWidth - Thickness, Math.Min(0, Upper) - Thickness);

    public Vector2 High => Centre + new Vector2(HalfWidth + Thickness, Math.Max(0, Lower) + Thickness);

    public float Distance(Vector2 point)
    {
        var x = Math.Clamp((point.X - Centre.X) / HalfWidth, -1, 1);
        var (upper, lower) = (Upper * (1 - x * x), Lower * (1 - x * x));
        var y = point.Y - Centre.Y;
        var slope = 2 * x * (y < (upper + lower) / 2 ? Upper : Lower) / HalfWidth;
        var vertical = Math.Max(upper - y, y - lower) / MathF.Sqrt(1 + slope * slope);
        var beyond = Math.Abs(point.X - Centre.X) - HalfWidth;
        return (beyond > 0 ? MathF.Sqrt(beyond * beyond + vertical * vertical) : vertical) - Thickness / 2;
    }
}

/// <summary>What lies in one form and not in another.</summary>
readonly record struct Without<TForm, THole>(TForm Form, THole Hole) : IForm
    where TForm : struct, IForm
    where THole : struct, IForm
{
    public Vector2 Low => Form.Low;

    public Vector2 High => Form.High;

    public float Distance(Vector2 point) => Math.Max(Form.Distance(point), -Hole.Distance(point));
}
