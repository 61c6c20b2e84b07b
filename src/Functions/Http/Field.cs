using System.Globalization;
using System.Text.Json.Nodes;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>A named value that a request may carry: what is read, what is refused and what openapi.json says come from here.</summary>
public sealed record Field(string Name, FieldType Type, string Description)
{
    public const long LargestSeed = (1L << 53) - 1; // what JSON numbers hold in every language

    public double? Least { get; init; }

    public double? Most { get; init; }

    /// <summary>The words that there are to choose from.</summary>
    public string[] Choices { get; init; } = [];

    public static readonly Field Images = new("images", FieldType.Images, "The images, in order.");

    public static readonly Field Image = new("image", FieldType.Image, "The image.");

    public static readonly Field Label = new("label", FieldType.Labels, "For conditional models: a label's name or number, or one for each image in an array.");

    public static readonly Field Seed = Whole("seed", 0, LargestSeed, "What repeats an answer; random unless given.");

    public static readonly Field Examples = new("examples", FieldType.Examples,
        "Concepts for this request: by name {\"with\": [images], \"without\": [images]}.");

    public static readonly Field Direction = Choice("direction", "Whether a concept is the difference of the means or goes across the plane that parts them.", "mean", "logistic");

    public static Field Whole(string name, long least, long most, string description) => new(name, FieldType.Whole, description) { Least = least, Most = most };

    public static Field Number(string name, double least, double most, string description) => new(name, FieldType.Number, description) { Least = least, Most = most };

    public static Field Choice(string name, string description, params string[] choices) => new(name, FieldType.Choice, description) { Choices = choices };

    /// <summary>Its type as a JSON schema. (OpenAPI 3.1)</summary>
    public JsonObject Schema()
    {
        var schema = Type switch
        {
            FieldType.Whole => new JsonObject { ["type"] = "integer", ["minimum"] = (long)Least!, ["maximum"] = (long)Most! },
            FieldType.Number => new JsonObject { ["type"] = "number", ["minimum"] = Least, ["maximum"] = Most },
            FieldType.Choice => new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. Choices.Select(choice => JsonValue.Create(choice))]) },
            FieldType.Text => new JsonObject { ["type"] = "string" },
            FieldType.Image => ImageSchema(),
            FieldType.Images => ArrayOf(ImageSchema()),
            FieldType.Labels => new JsonObject { ["type"] = new JsonArray("string", "integer", "array") },
            FieldType.Numbers => ArrayOf(new JsonObject { ["type"] = "number", ["minimum"] = Least, ["maximum"] = Most }),
            FieldType.Latents => ArrayOf(LatentSchema()),
            FieldType.Points => ArrayOf(PointSchema()),
            FieldType.Strengths => new JsonObject { ["type"] = "object", ["additionalProperties"] = new JsonObject { ["type"] = "number" } },
            _ => new JsonObject
            {
                ["type"] = "object",
                ["additionalProperties"] = new JsonObject
                {
                    ["type"] = "object",
                    ["properties"] = new JsonObject { ["with"] = ArrayOf(ImageSchema()), ["without"] = ArrayOf(ImageSchema()) },
                    ["required"] = new JsonArray("with", "without"),
                },
            },
        };
        schema["description"] = Description;
        return schema;
    }

    /// <summary>Its range or choices in words, for error messages.</summary>
    public string Expected => Type switch
    {
        FieldType.Whole => string.Create(CultureInfo.InvariantCulture, $"a whole number from {(long)Least!} to {(long)Most!}"),
        FieldType.Number => string.Create(CultureInfo.InvariantCulture, $"a number from {Least} to {Most}"),
        FieldType.Numbers => string.Create(CultureInfo.InvariantCulture, $"an array of numbers from {Least} to {Most}"),
        FieldType.Choice => string.Join(" or ", Choices),
        _ => Description,
    };

    static JsonObject ArrayOf(JsonObject items) => new() { ["type"] = "array", ["items"] = items };

    static JsonObject ImageSchema() => new() { ["type"] = "string", ["description"] = $"An image ({ImageFormats.Names}) in base64, blob:container/path, or part:NAME of the same form." };

    static JsonObject LatentSchema() => ArrayOf(new JsonObject { ["type"] = "number" });

    static JsonObject PointSchema() => new()
    {
        ["type"] = "object",
        ["description"] = "One of image, latent, seed or, in sums, concept; in sums also its weight. An image's text or a latent's array alone will do.",
        ["properties"] = new JsonObject
        {
            ["image"] = ImageSchema(),
            ["latent"] = LatentSchema(),
            ["seed"] = new JsonObject { ["type"] = "integer" },
            ["concept"] = new JsonObject { ["type"] = "string" },
            ["weight"] = new JsonObject { ["type"] = "number" },
        },
    };
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
    Numbers,
    Latents,
    Points,
    Strengths,
    Examples,
}

/// <summary>What openapi.json says of a function: a summary, the static member with its fields, and the types of its answer.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DescribesAttribute(string summary) : Attribute
{
    public string Summary { get; } = summary;

    /// <summary>The name of a static field of the same class.</summary>
    public string? Fields { get; set; }

    public string[] Answers { get; set; } = ["application/json"];

    public int Status { get; set; } = 200;
}
