using System.Globalization;

namespace VaeFunctions.Serving;

/// <summary>A named value that a request may carry: what is read, what is refused and what openapi.json says come from
/// here.</summary>
public sealed record Field(string Name, FieldType Type, string Description)
{
    /// <summary>The largest whole number that JSON's numbers hold in every language.</summary>
    public const long LargestSeed = (1L << 53) - 1;

    /// <summary>The least number that it may be; null for what is no number.</summary>
    public double? Least { get; init; }

    /// <summary>The largest number that it may be; null for what is no number.</summary>
    public double? Most { get; init; }

    /// <summary>The words that there are to choose from.</summary>
    public string[] Choices { get; init; } = [];

    /// <summary>Some images, each as base64, <c>blob:container/path</c> or <c>part:NAME</c>.</summary>
    public static readonly Field Images = new("images", FieldType.Images, "The images, in order.");

    /// <summary>One image, in the same forms.</summary>
    public static readonly Field Image = new("image", FieldType.Image, "The image.");

    public static readonly Field Label = new("label", FieldType.Labels,
        "For conditional models: a label's name, or its number as index:0; or one for each image in an array.");

    public static readonly Field Seed = Whole("seed", 0, LargestSeed, "What repeats an answer; random unless given.");

    public static readonly Field Version =
        new("version", FieldType.Version, "A published version, instead of the one that serves.");

    public static readonly Field Examples = new("examples", FieldType.Examples,
        "Concepts for this request: by name {\"with\": [images], \"without\": [images]}.");

    public static readonly Field Direction = Choice("direction",
        "Whether a concept is the difference of the means or goes across the plane that parts them.", "mean", "logistic");

    /// <summary>A whole number in a range, both ends included.</summary>
    public static Field Whole(string name, long least, long most, string description) =>
        new(name, FieldType.Whole, description) { Least = least, Most = most };

    /// <summary>A number in a range, both ends included.</summary>
    public static Field Number(string name, double least, double most, string description) =>
        new(name, FieldType.Number, description) { Least = least, Most = most };

    /// <summary>One of some words, the first unless given.</summary>
    public static Field Choice(string name, string description, params string[] choices) =>
        new(name, FieldType.Choice, description) { Choices = choices };

    /// <summary>Whether the one image of a raw body can be its value.</summary>
    public bool TakesImages => Type is FieldType.Images or FieldType.Image or FieldType.Points;

    /// <summary>Whether its value can name files of a form.</summary>
    public bool TakesFiles => TakesImages || Type is FieldType.Examples;

    /// <summary>Whether its value is short enough for a query.</summary>
    public bool IsShort => Type is FieldType.Whole or FieldType.Number or FieldType.Choice or FieldType.Labels
        or FieldType.Version;

    /// <summary>Its range or choices in words, for error messages.</summary>
    public string Expected => Type switch
    {
        FieldType.Whole => string.Create(CultureInfo.InvariantCulture, $"a whole number from {(long)Least!} to {(long)Most!}"),
        FieldType.Number => string.Create(CultureInfo.InvariantCulture, $"a number from {Least} to {Most}"),
        FieldType.Numbers => string.Create(CultureInfo.InvariantCulture, $"an array of numbers from {Least} to {Most}"),
        FieldType.Choice => string.Join(" or ", Choices),
        _ => Description,
    };

    /// <summary>Whether a number lies in its range.</summary>
    public bool Allows(double value) => value >= Least && value <= Most;
}

/// <summary>What a field holds.</summary>
public enum FieldType
{
    Whole,
    Number,
    Choice,
    Text,
    Image,
    Images,
    Labels,
    Version,
    Numbers,
    Latents,
    Points,
    Strengths,
    Examples,
}

/// <summary>What openapi.json says of a function, beside its trigger and the type of its answer: a summary, and the static
/// members that hold its fields and offers.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DescribesAttribute(string summary) : Attribute
{
    public string Summary { get; } = summary;

    /// <summary>The name of a static member of the same class, a <see cref="Field"/> array.</summary>
    public string? Fields { get; set; }

    /// <summary>The name of a static member of the same class, an <see cref="AnswerKind"/> array; without it, the answer is
    /// JSON.</summary>
    public string? Offers { get; set; }

    /// <summary>The content type of an answer that is neither JSON nor pictures.</summary>
    public string? ContentType { get; set; }

    public int Status { get; set; } = StatusCodes.Status200OK;
}
