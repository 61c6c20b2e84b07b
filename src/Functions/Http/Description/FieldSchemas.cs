using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>What requests may hold, as schemas.</summary>
static class FieldSchemas
{
    public static IOpenApiSchema Of(Field field)
    {
        var schema = field.Type switch
        {
            FieldType.Whole => Ranged(JsonSchemaType.Integer, field),
            FieldType.Number => Ranged(JsonSchemaType.Number, field),
            FieldType.Choice => new()
            {
                Type = JsonSchemaType.String,
                Enum = [.. field.Choices.Select(choice => (JsonNode)choice)],
            },
            FieldType.Text or FieldType.Version => Text(),
            FieldType.Image => Image(),
            FieldType.Images => ArrayOf(Image()),
            FieldType.Labels => new() { Type = JsonSchemaType.String | JsonSchemaType.Integer | JsonSchemaType.Array },
            FieldType.Numbers => ArrayOf(Ranged(JsonSchemaType.Number, field)),
            FieldType.Latents => ArrayOf(ArrayOf(Number())),
            FieldType.Points => ArrayOf(Point()),
            FieldType.Strengths => MapOf(Number()),
            _ => MapOf(Object(("with", ArrayOf(Image())), ("without", ArrayOf(Image())))),
        };
        if (field.Type == FieldType.Examples)
            ((OpenApiSchema)schema.AdditionalProperties!).Required = new HashSet<string> { "with", "without" };
        schema.Description = field.Description;
        return schema;
    }

    /// <summary>A file's bytes.</summary>
    public static OpenApiSchema Binary() => new() { Type = JsonSchemaType.String, Format = "binary" };

    static OpenApiSchema Point()
    {
        var point = Object(("image", Image()), ("latent", ArrayOf(Number())), ("seed", new() { Type = JsonSchemaType.Integer }),
            ("concept", Text()), ("weight", Number()));
        point.Description = "One of image, latent, seed or, in sums, concept; in sums also its weight. An image's text or a "
            + "latent's array alone will do.";
        return point;
    }

    static OpenApiSchema Image() => new()
    {
        Type = JsonSchemaType.String,
        Description = $"An image ({ImageFormats.Names}) in base64, blob:container/path, or part:NAME of the same form.",
    };

    static OpenApiSchema Text() => new() { Type = JsonSchemaType.String };

    static OpenApiSchema Number() => new() { Type = JsonSchemaType.Number };

    static OpenApiSchema Ranged(JsonSchemaType type, Field field) => new()
    {
        Type = type,
        Minimum = field.Least?.ToString(CultureInfo.InvariantCulture),
        Maximum = field.Most?.ToString(CultureInfo.InvariantCulture),
    };

    static OpenApiSchema ArrayOf(OpenApiSchema items) => new() { Type = JsonSchemaType.Array, Items = items };

    static OpenApiSchema MapOf(OpenApiSchema values) => new() { Type = JsonSchemaType.Object, AdditionalProperties = values };

    static OpenApiSchema Object(params (string Name, OpenApiSchema Schema)[] properties) => new()
    {
        Type = JsonSchemaType.Object,
        Properties = properties.ToDictionary(property => property.Name, property => (IOpenApiSchema)property.Schema),
    };
}
