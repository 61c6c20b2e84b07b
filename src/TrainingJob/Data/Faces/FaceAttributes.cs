
namespace VaeFunctions.Data.Faces;

/// <summary>All that decides how a face looks.</summary>
public sealed record FaceAttributes
{
    /// <summary>The names of <see cref="Values"/>, in their order.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["glasses", "smile", "hair_length", "hair_colour", "hat", "beard", "skin_tone", "pose", "eye_size", "background"];

    public bool Glasses { get; init; }

    /// <summary>−1 is sad, 1 laughs.</summary>
    public float Smile { get; init; }

    /// <summary>0 is cropped, 1 reaches the shoulders.</summary>
    public float HairLength { get; init; }

    /// <summary>From black at 0 through brown and red to blond at 1.</summary>
    public float HairColour { get; init; }

    public bool Hat { get; init; }

    public bool Beard { get; init; }

    /// <summary>0 is light, 1 dark.</summary>
    public float SkinTone { get; init; }

    /// <summary>−1 looks to the left of the picture, 1 to the right.</summary>
    public float Pose { get; init; }

    /// <summary>0 is small, 1 large.</summary>
    public float EyeSize { get; init; }

    /// <summary>From blue at 0 through green to rose at 1.</summary>
    public float Background { get; init; }

    /// <summary>Every attribute as a number, yes being 1.</summary>
    public float[] Values =>
        [Number(Glasses), Smile, HairLength, HairColour, Number(Hat), Number(Beard), SkinTone, Pose, EyeSize, Background];

    /// <summary>
    /// A face by chance, each attribute independent of the others: uniform in its range, or yes as often as given here.
    /// </summary>
    public static FaceAttributes Draw(RandomStream random)
    {
        ArgumentNullException.ThrowIfNull(random);
        return new FaceAttributes
        {
            Glasses = random.NextDouble() < 0.4,
            Smile = Signed(),
            HairLength = Unit(),
            HairColour = Unit(),
            Hat = random.NextDouble() < 0.25,
            Beard = random.NextDouble() < 0.25,
            SkinTone = Unit(),
            Pose = Signed(),
            EyeSize = Unit(),
            Background = Unit(),
        };

        float Unit() => (float)random.NextDouble();

        float Signed() => 2 * Unit() - 1;
    }

    static float Number(bool yes) => yes ? 1 : 0;
}
