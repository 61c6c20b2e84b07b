using System.Text.Json;
using System.Text.Json.Nodes;

namespace VaeFunctions.Tests;

/// <summary>Checks JSON against a schema, as far as the schemas of answers go. Nothing may be there that they do not
/// name.</summary>
static class JsonSchemas
{
    public static void Check(JsonNode document, JsonNode schema, JsonNode? value, string place = "$")
    {
        if (schema["$ref"] is { } reference)
            schema = Follow(document, reference)!;
        if (schema["type"] is not { } type)
            return; // anything at all
        var kind = value?.GetValueKind() switch
        {
            JsonValueKind.Object => "object",
            JsonValueKind.Array => "array",
            JsonValueKind.String => "string",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            JsonValueKind.Number => (string)type! == "integer" && value.AsValue().TryGetValue<long>(out _) ? "integer" : "number",
            _ => "null",
        };
        Assert.True(kind == (string)type!, $"{place} is {kind}, not {type}: {value}");
        if (value is JsonArray items)
        {
            foreach (var (i, item) in items.Index())
                Check(document, schema["items"]!, item, $"{place}[{i}]");
        }
        if (value is not JsonObject fields)
            return;
        foreach (var name in schema["required"]?.AsArray() ?? [])
            Assert.True(fields.ContainsKey((string)name!), $"{place} has no {name}: {value}");
        foreach (var (name, field) in fields)
        {
            var own = schema["properties"]?[name] ?? schema["additionalProperties"];
            Assert.True(own is not null, $"{place} has {name}, which its schema does not name");
            Check(document, own, field, $"{place}.{name}");
        }
    }

    /// <summary>What a reference within the document refers to; null where that is nothing.</summary>
    public static JsonNode? Follow(JsonNode document, JsonNode reference) =>
        ((string)reference!)[2..].Split('/').Aggregate((JsonNode?)document, (node, part) => node?[part]);
}
