using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>Describes the HTTP functions as OpenAPI 3.1, read off the functions themselves: their triggers, fields and answers.</summary>
public sealed partial class OpenApiFunction
{
    static readonly Lazy<string> Document = new(() => Build(typeof(OpenApiFunction).Assembly).ToJsonString(new() { WriteIndented = true }));

    [Function("OpenApi")]
    [Describes("Describe the HTTP functions.")]
    public static IActionResult Run([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "openapi.json")] HttpRequest request) =>
        new ContentResult { ContentType = "application/json", Content = Document.Value };

    internal static JsonObject Build(Assembly functions)
    {
        var paths = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var method in functions.GetTypes().SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)))
        {
            if (method.GetCustomAttribute<FunctionAttribute>() is not { } function)
                continue;
            if (method.GetParameters().Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>()).OfType<HttpTriggerAttribute>().FirstOrDefault() is not { } trigger)
                continue;
            var describes = method.GetCustomAttribute<DescribesAttribute>()
                ?? throw new InvalidOperationException($"Function {function.Name} answers HTTP but has no [Describes]; say what it does.");
            var path = $"/{trigger.Route}";
            if (!paths.TryGetValue(path, out var operations))
                paths[path] = operations = [];
            foreach (var verb in trigger.Methods ?? [])
                operations[verb] = Operation(function.Name, verb, path, trigger.AuthLevel, describes, Fields(method, describes));
        }
        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "VaeFunctions", ["version"] = functions.GetName().Version?.ToString(3), ["description"] = "Latent operations on published models." },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/api" }),
            ["paths"] = new JsonObject(paths.Select(path => KeyValuePair.Create(path.Key, (JsonNode?)path.Value))),
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject { ["key"] = new JsonObject { ["type"] = "apiKey", ["in"] = "header", ["name"] = "x-functions-key" } },
                ["schemas"] = new JsonObject
                {
                    ["Problem"] = new JsonObject
                    {
                        ["type"] = "object",
                        ["description"] = "RFC 9457: detail says what was found, what was expected and how to mend it.",
                        ["properties"] = new JsonObject
                        {
                            ["status"] = new JsonObject { ["type"] = "integer" },
                            ["title"] = new JsonObject { ["type"] = "string" },
                            ["detail"] = new JsonObject { ["type"] = "string" },
                            ["instance"] = new JsonObject { ["type"] = "string" },
                        },
                    },
                },
            },
        };
    }

    static Field[] Fields(MethodInfo method, DescribesAttribute describes) => describes.Fields is not { } name ? []
        : (Field[])method.DeclaringType!.GetField(name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!.GetValue(null)!;

    static JsonObject Operation(string name, string verb, string path, AuthorizationLevel level, DescribesAttribute describes, Field[] fields)
    {
        var parameters = new JsonArray();
        foreach (Match segment in Segment().Matches(path))
            parameters.Add(Parameter(segment.Groups[1].Value, "path", true, new JsonObject { ["type"] = "string" }));
        foreach (var field in fields.Where(field => field.Type is FieldType.Whole or FieldType.Number or FieldType.Choice or FieldType.Labels))
            parameters.Add(Parameter(field.Name, "query", false, field.Schema()));
        var operation = new JsonObject
        {
            ["operationId"] = verb == "get" && fields.Length > 0 ? $"{name}ByQuery" : name,
            ["summary"] = describes.Summary,
            ["parameters"] = parameters,
            ["responses"] = Responses(describes),
        };
        if (verb is "post" or "put" && fields.Length > 0)
            operation["requestBody"] = new JsonObject { ["content"] = Bodies(fields) };
        if (level != AuthorizationLevel.Anonymous)
            operation["security"] = new JsonArray(new JsonObject { ["key"] = new JsonArray() });
        return operation;
    }

    static JsonObject Parameter(string name, string place, bool required, JsonObject schema) =>
        new() { ["name"] = name, ["in"] = place, ["required"] = required, ["schema"] = schema };

    static JsonObject Bodies(Field[] fields)
    {
        JsonObject Whole() => new()
        {
            ["schema"] = new JsonObject
            {
                ["type"] = "object",
                ["additionalProperties"] = false,
                ["properties"] = new JsonObject(fields.Select(field => KeyValuePair.Create(field.Name, (JsonNode?)field.Schema()))),
            },
        };
        var bodies = new JsonObject { ["application/json"] = Whole() };
        if (fields.Any(field => field.Type is FieldType.Image or FieldType.Images or FieldType.Points or FieldType.Examples))
        {
            var form = Whole();
            form["schema"]!["additionalProperties"] = new JsonObject { ["type"] = "string", ["format"] = "binary" }; // parts that fields ask for by name
            bodies["multipart/form-data"] = form;
        }
        if (fields.Any(field => field.Type is FieldType.Image or FieldType.Images or FieldType.Points))
        {
            foreach (var type in ImageFormats.MediaTypes)
                bodies[type] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "string", ["format"] = "binary" } };
        }
        return bodies;
    }

    static JsonObject Responses(DescribesAttribute describes) => new()
    {
        [$"{describes.Status}"] = new JsonObject
        {
            ["description"] = "The answer.",
            ["content"] = new JsonObject(describes.Answers.Select(type => KeyValuePair.Create(type, (JsonNode?)new JsonObject()))),
        },
        ["default"] = new JsonObject
        {
            ["description"] = "A problem.",
            ["content"] = new JsonObject
            {
                ["application/problem+json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/Problem" } },
            },
        },
    };

    [GeneratedRegex("{([a-z]+)}")]
    private static partial Regex Segment();
}
