using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Azure.Functions.Worker;
using Microsoft.OpenApi;
using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>The HTTP functions as an OpenAPI document, read off the functions themselves: their triggers, fields and types of
/// answers.</summary>
static partial class ApiDescription
{
    const string Key = "key";

    /// <exception cref="InvalidOperationException">A function that answers HTTP does not say what it does.</exception>
    public static OpenApiDocument Of(Assembly functions)
    {
        var document = new OpenApiDocument
        {
            Info = new()
            {
                Title = "VaeFunctions",
                Version = functions.GetName().Version!.ToString(3),
                Description = "Latent operations on published models.",
            },
            Servers = [new() { Url = "/api" }],
            Paths = [],
            Components = new()
            {
                Schemas = new Dictionary<string, IOpenApiSchema>(),
                SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
                {
                    [Key] = new OpenApiSecurityScheme
                    {
                        Type = SecuritySchemeType.ApiKey,
                        In = ParameterLocation.Header,
                        Name = "x-functions-key",
                        Description = "A function key.",
                    },
                },
            },
        };
        var schemas = new AnswerSchemas(document);
        foreach (var (path, endpoints) in EndpointsOf(functions).GroupBy(endpoint => endpoint.Path)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => (group.Key, group)))
        {
            var operations = endpoints.SelectMany(
                endpoint => endpoint.Verbs.Select(verb => (Verb: verb, Operation: endpoint.Describe(verb, schemas))))
                .OrderBy(operation => operation.Verb, StringComparer.Ordinal);
            document.Paths.Add(path, new OpenApiPathItem
            {
                Operations = operations.ToDictionary(entry => HttpMethod.Parse(entry.Verb), entry => entry.Operation),
            });
        }
        // What the inbox and the jobs write into the storage has records too.
        foreach (var written in new[] { typeof(InboxResult), typeof(ArchiveResult), typeof(Rejection), typeof(JobResult) })
            schemas.Reference(written);
        return document;
    }

    static IEnumerable<Endpoint> EndpointsOf(Assembly functions) =>
        from type in functions.GetTypes()
        from method in type.GetMethods(
            BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
        let function = method.GetCustomAttribute<FunctionAttribute>()
        let trigger = method.GetParameters().Select(parameter => parameter.GetCustomAttribute<HttpTriggerAttribute>())
            .FirstOrDefault(trigger => trigger is not null)
        where function is not null && trigger is not null
        select new Endpoint(method, function.Name, trigger);

    /// <summary>A function that answers HTTP.</summary>
    sealed record Endpoint(MethodInfo Method, string Name, HttpTriggerAttribute Trigger)
    {
        readonly DescribesAttribute describes = Method.GetCustomAttribute<DescribesAttribute>()
            ?? throw new InvalidOperationException($"Function {Name} answers HTTP but has no [Describes]; say what it does.");

        public string Path => $"/{Trigger.Route}";

        public string[] Verbs => Trigger.Methods ?? [];

        Field[] Fields => StaticOf<Field>(describes.Fields);

        public OpenApiOperation Describe(string verb, AnswerSchemas schemas)
        {
            OpenApiParameter[] places = [.. Segment().Matches(Path).Select(segment => new OpenApiParameter
            {
                Name = segment.Groups[1].Value, In = ParameterLocation.Path, Required = true,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            })];
            return new()
            {
                OperationId = verb == "get" && Verbs.Length > 1 ? $"{Name}ByQuery" : Name,
                Summary = describes.Summary,
                Parameters = [.. places, .. Fields.Where(field => field.IsShort).Select(field => new OpenApiParameter
                {
                    Name = field.Name, In = ParameterLocation.Query, Schema = FieldSchemas.Of(field),
                })],
                RequestBody = verb is "post" or "put" && Fields.Length > 0 ? new OpenApiRequestBody { Content = Bodies() } : null,
                Responses = Responses(schemas),
                Security = Trigger.AuthLevel == AuthorizationLevel.Anonymous ? null
                    : [new() { [new(Key, schemas.Document)] = [] }],
            };
        }

        Dictionary<string, IOpenApiMediaType> Bodies()
        {
            var bodies = new Dictionary<string, IOpenApiMediaType> { ["application/json"] = Content(Whole(null)) };
            // Parts that fields ask for by name may have any.
            if (Fields.Any(field => field.TakesFiles))
                bodies["multipart/form-data"] = Content(Whole(FieldSchemas.Binary()));
            foreach (var type in Fields.Any(field => field.TakesImages) ? ImageFormats.MediaTypes : [])
                bodies[type] = Content(FieldSchemas.Binary());
            return bodies;

            OpenApiSchema Whole(OpenApiSchema? further) => new()
            {
                Type = JsonSchemaType.Object,
                Properties = Fields.ToDictionary(field => field.Name, FieldSchemas.Of),
                AdditionalProperties = further,
                AdditionalPropertiesAllowed = further is not null,
            };
        }

        OpenApiResponses Responses(AnswerSchemas schemas) => new()
        {
            [$"{describes.Status}"] = new OpenApiResponse { Description = "The answer.", Content = Contents(schemas) },
            ["default"] = new OpenApiResponse
            {
                Description = "A problem.",
                Content = new Dictionary<string, IOpenApiMediaType>
                {
                    ["application/problem+json"] = Content(schemas.Reference(typeof(Problem))),
                },
            },
        };

        Dictionary<string, IOpenApiMediaType> Contents(AnswerSchemas schemas)
        {
            if (describes.Status == StatusCodes.Status204NoContent)
                return [];
            if (describes.ContentType is { } other)
                return new() { [other] = Content(new OpenApiSchema { Type = JsonSchemaType.String }) };
            AnswerKind[] offers = describes.Offers is null ? [AnswerKind.Json] : StaticOf<AnswerKind>(describes.Offers);
            return offers.ToDictionary(Accept.TypeOf, IOpenApiMediaType (offer) =>
                Content(offer == AnswerKind.Json ? Json(schemas) : FieldSchemas.Binary()));
        }

        /// <summary>The record of the function's Answer&lt;T&gt;.</summary>
        IOpenApiSchema Json(AnswerSchemas schemas)
        {
            var type = Method.ReturnType is { IsGenericType: true } task && task.GetGenericTypeDefinition() == typeof(Task<>)
                ? task.GenericTypeArguments[0] : Method.ReturnType;
            return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Answer<>)
                ? schemas.Reference(type.GenericTypeArguments[0])
                : new OpenApiSchema { Type = JsonSchemaType.Object };
        }

        T[] StaticOf<T>(string? name) => name is null ? []
            : (T[])Method.DeclaringType!.GetField(
                name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!.GetValue(null)!;

        static OpenApiMediaType Content(IOpenApiSchema schema) => new() { Schema = schema };
    }

    [GeneratedRegex("{([a-z]+)}")]
    private static partial Regex Segment();
}
