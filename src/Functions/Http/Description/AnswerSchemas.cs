using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;

namespace VaeFunctions.Serving;

/// <summary>The records of answers as schemas of a document, each under its own name, with their doc comments as
/// descriptions.</summary>
sealed class AnswerSchemas(OpenApiDocument document)
{
    /// <summary>As answers are written; numbers are never texts.</summary>
    static readonly JsonSerializerOptions Options = new(Answers.Options)
    {
        NumberHandling = JsonNumberHandling.Strict,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    public OpenApiDocument Document => document;

    /// <summary>A reference to a record's schema, which is added with those of the records that it holds.</summary>
    public IOpenApiSchema Reference(Type record)
    {
        Add(record);
        return new OpenApiSchemaReference(record.Name, document);
    }

    void Add(Type record)
    {
        if (document.Components!.Schemas!.ContainsKey(record.Name))
            return;
        var exporter = new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Transform };
        var schema = Options.GetJsonSchemaAsNode(record, exporter);
        document.Components.Schemas[record.Name] = new OpenApiJsonReader()
            .ReadFragment<OpenApiSchema>(schema, OpenApiSpecVersion.OpenApi3_1, document, out var diagnostic, null)
            ?? throw new InvalidOperationException($"{record.Name} has no schema: {string.Join(' ', diagnostic.Errors)}");
    }

    JsonObject Transform(JsonSchemaExporterContext context, JsonNode node)
    {
        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        var isRecord = context.TypeInfo.Kind == JsonTypeInfoKind.Object
            && type.Namespace!.StartsWith(nameof(VaeFunctions), StringComparison.Ordinal);
        if (isRecord && !context.Path.IsEmpty)
        {
            Add(type);
            return Described(new JsonObject { ["$ref"] = $"#/components/schemas/{type.Name}" }, context);
        }
        if (node is not JsonObject schema)
            return Described([], context); // anything at all, such as a recipe
        if (type == typeof(byte[]))
            schema["contentEncoding"] = "base64";
        // Answers leave out what is null: a property is either absent or not null.
        if (schema["type"] is JsonArray types)
            schema["type"] = types.Select(name => (string)name!).First(name => name != "null");
        if (isRecord)
        {
            var present = context.TypeInfo.Properties.Where(property => property.Get is not null && !property.IsGetNullable)
                .Select(property => (JsonNode)property.Name);
            schema["required"] = new JsonArray([.. present]);
        }
        return Described(schema, context);
    }

    static JsonObject Described(JsonObject schema, JsonSchemaExporterContext context)
    {
        var text = context.PropertyInfo is { } property ? DocComments.Of(property.DeclaringType, property.Name)
            : context.Path.IsEmpty ? DocComments.Of(context.TypeInfo.Type)
            : null;
        if (text is not null)
            schema["description"] = text;
        return schema;
    }
}
