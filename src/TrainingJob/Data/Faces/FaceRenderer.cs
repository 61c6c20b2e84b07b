using System.Numerics;
using VaeFunctions.Imaging;

namespace VaeFunctions.Data.Faces;

/// <summary>Draws a cartoon face from its attributes, back to front.</summary>
public static class FaceRenderer
{
    static readonly Vector3[] HairColours = [Rgb(0x1C1A20), Rgb(0x5A3520), Rgb(0xA8431C), Rgb(0xF2CC62)];
    static readonly Vector3[] SkinTones = [Rgb(0xFFDFC4), Rgb(0xE0A878), Rgb(0xA56B42), Rgb(0x6B412A)];
    static readonly Vector3[] Backgrounds = [Rgb(0x9CC9F0), Rgb(0xA8DDB0), Rgb(0xF4E3A1), Rgb(0xF0B4C8)];
    static readonly Vector3 Ink = Rgb(0x1B1B24), White = Rgb(0xFFFFFF), Shirt = Rgb(0x3C6E9E);
    static readonly Vector3 HatRed = Rgb(0xC8202C), HatBand = Rgb(0x5E1018), Lip = Rgb(0xA8323A), Frame = Rgb(0x101018);

    /// <summary>The face with these attributes; equal attributes give equal bytes.</summary>
    /// <exception cref="ArgumentException">The shape is no image's.</exception>
    public static Image Render(FaceAttributes face, ImageShape shape)
    {
        ArgumentNullException.ThrowIfNull(face);
        if (shape.Width < 1 || shape.Height < 1 || shape.Channels is not (1 or 3))
            throw new ArgumentException(
                $"FaceRenderer: the shape is {shape}; width and height must be positive and channels 1 or 3.");
        var canvas = new Canvas(shape);
        var (hair, skin) = (Ramp(HairColours, face.HairColour), Ramp(SkinTones, face.SkinTone));
        var head = new Ellipse(At(0.05f * face.Pose, 0.08f), At(0.54f, 0.66f));
        var turn = 0.2f * face.Pose; // what lies in front of the head moves most when it turns

        canvas.Clear(Ramp(Backgrounds, face.Background));
        PaintBack(canvas, face, head, hair, skin);
        canvas.Fill(head, skin);
        if (face.Beard) PaintBeard(canvas, head, turn, hair);
        PaintFeatures(canvas, face, turn, hair, skin);
        PaintHair(canvas, face, head, turn, hair);
        if (face.Glasses) PaintGlasses(canvas, head, turn);
        if (face.Hat) PaintHat(canvas, head, turn);
        return canvas.ToImage();
    }

    static void PaintBack(Canvas canvas, FaceAttributes face, Ellipse head, Vector3 hair, Vector3 skin)
    {
        var length = face.HairLength - 0.05f;
        canvas.Fill(new Box(At(head.Centre.X, (length - 0.6f) / 2), At(0.68f, (length + 0.6f) / 2), 0.3f), hair * 0.82f);
        canvas.Fill(new Ellipse(At(0, 1.15f), At(0.8f, 0.42f)), Shirt);
        canvas.Fill(new Box(At(0, 0.72f), At(0.2f, 0.22f), 0.1f), skin * 0.82f);
        foreach (var side in (ReadOnlySpan<float>)[-1, 1])
            canvas.Fill(new Ellipse(head.Centre + At(0.55f * side - 0.08f * face.Pose, 0.05f), At(0.1f, 0.15f)), skin * 0.9f);
    }

    static void PaintBeard(Canvas canvas, Ellipse head, float turn, Vector3 hair) =>
        canvas.Fill(
            new Without<Ellipse, Ellipse>(
                new Ellipse(head.Centre + At(0, 0.03f), head.Radii),
                new Ellipse(At(head.Centre.X + turn * 0.6f, -0.12f), At(0.56f, 0.5f))),
            hair * 0.9f);

    static void PaintFeatures(Canvas canvas, FaceAttributes face, float turn, Vector3 hair, Vector3 skin)
    {
        var eye = 0.075f + 0.07f * face.EyeSize;
        foreach (var side in (ReadOnlySpan<float>)[-1, 1])
        {
            var centre = EyeCentre(side, turn);
            canvas.Fill(new Ellipse(centre, At(eye, eye * 1.15f)), White);
            canvas.Fill(new Ellipse(centre + At(0.25f * turn, 0.01f), At(eye * 0.6f, eye * 0.7f)), Ink);
            canvas.Fill(new Stroke(centre + At(-0.12f, -0.21f), centre + At(0.12f, -0.21f), 0.055f), hair * 0.6f);
            canvas.Fill(new Ellipse(centre + At(0.05f * side, 0.27f), At(0.12f, 0.08f)), Lip, opacity: 0.25f);
        }
        canvas.Fill(new Stroke(At(turn * 1.3f, 0.08f), At(turn * 1.45f, 0.2f), 0.09f), skin * 0.78f);

        // The corners go up and the middle down as a smile grows; from half a smile on, the teeth show.
        var mouth = At(turn * 1.15f, 0.45f - 0.08f * face.Smile);
        var (bend, width) = ((face.Smile > 0 ? 0.2f : 0.15f) * face.Smile, 0.23f + 0.03f * face.Smile);
        var open = Math.Max(face.Smile - 0.4f, 0) * 0.22f;
        canvas.Fill(new Lips(mouth, width, Math.Min(bend - open, bend), bend + open, 0.09f), Lip);
        if (open > 0) canvas.Fill(new Lips(mouth, width * 0.85f, bend - open, bend + open * 0.5f, 0), White);
    }

    static void PaintHair(Canvas canvas, FaceAttributes face, Ellipse head, float turn, Vector3 hair) =>
        canvas.Fill(
            new Without<Ellipse, Ellipse>(
                new Ellipse(head.Centre + At(0, -0.1f), At(0.62f, 0.66f)),
                new Ellipse(At(head.Centre.X + turn * 0.5f, 0.36f), At(0.66f - 0.12f * face.HairLength, 0.74f))),
            hair);

    static void PaintGlasses(Canvas canvas, Ellipse head, float turn)
    {
        foreach (var side in (ReadOnlySpan<float>)[-1, 1])
        {
            var lens = new Ellipse(EyeCentre(side, turn), At(0.205f, 0.195f));
            canvas.Fill(lens, White, opacity: 0.25f);
            canvas.Fill(
                new Stroke(lens.Centre + At(0.2f * side, -0.02f), At(head.Centre.X + 0.54f * side, -0.04f), 0.06f), Frame);
            canvas.Fill(new Ring(lens, 0.075f), Frame);
        }
        canvas.Fill(new Stroke(At(turn - 0.07f, -0.03f), At(turn + 0.07f, -0.03f), 0.07f), Frame);
    }

    static void PaintHat(Canvas canvas, Ellipse head, float turn)
    {
        var x = head.Centre.X;
        canvas.Fill(new Box(At(x, -0.66f), At(0.5f, 0.34f), 0.2f), HatRed);
        canvas.Fill(new Box(At(x, -0.47f), At(0.5f, 0.08f), 0.02f), HatBand);
        canvas.Fill(new Box(At(x + 0.3f * turn, -0.38f), At(0.78f, 0.07f), 0.07f), HatRed);
    }

    /// <summary>Eyes draw together a little on the side that turns away.</summary>
    static Vector2 EyeCentre(float side, float turn) => At(turn + side * (0.24f - 0.1f * Math.Max(side * turn, 0)), 0);

    static Vector2 At(float x, float y) => new(x, y);

    /// <summary>The colour at a place from 0 to 1 along a row of colours.</summary>
    static Vector3 Ramp(Vector3[] colours, float place)
    {
        var at = Math.Clamp(place, 0, 1) * (colours.Length - 1);
        var first = Math.Min((int)at, colours.Length - 2);
        return Canvas.Mix(colours[first], colours[first + 1], at - first);
    }

    static Vector3 Rgb(int hex) => new Vector3(hex >> 16, hex >> 8 & 0xFF, hex & 0xFF) / 255;
}
