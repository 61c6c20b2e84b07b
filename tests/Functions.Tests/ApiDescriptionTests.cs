using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.OpenApi;
using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

/// <summary>The OpenAPI document, made here without a host.</summary>
public sealed class ApiDescriptionTests
{
    static readonly string[] Verbs = ["get", "post", "put", "delete"];

    static Task<string> WriteAsync() =>
        ApiDescription.Of(typeof(ApiDescription).Assembly).SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1);

    static async Task<JsonNode> DocumentAsync() => JsonNode.Parse(await WriteAsync())!;

    /// <summary>Verb and path of every operation.</summary>
    static async Task<IEnumerable<string>> DescribedAsync() =>
        (await OperationsAsync()).Select(operation => $"{operation.Verb} {operation.Path}").Order();

    static async Task<IEnumerable<(string Verb, string Path, JsonNode Operation)>> OperationsAsync() =>
        from path in (await DocumentAsync())["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        select (operation.Key.ToUpperInvariant(), path.Key, operation.Value!);

    [Fact]
    public async Task The_routes_that_the_worker_serves_are_described_with_their_keys()
    {
        // The file says what the worker tells hosts of its functions.
        var metadata = JsonNode.Parse(await File.ReadAllTextAsync(
            Path.Combine(FunctionsApp.Folder, "functions.metadata")))!.AsArray();
        var served =
            from function in metadata
            from binding in function["bindings"]!.AsArray()
            where (string)binding["type"]! == "httpTrigger"
            from verb in binding["methods"]!.AsArray()
            select Line(((string)verb!).ToUpperInvariant(), $"/{binding["route"]}", (string)binding["authLevel"]! == "Function");
        var described = (await OperationsAsync())
            .Select(line => Line(line.Verb, line.Path, line.Operation["security"] is JsonArray { Count: > 0 }));
        Assert.Equal(served.Order(), described.Order());

        static string Line(string verb, string path, bool key) => $"{verb} {path}{(key ? " with a key" : "")}";
    }

    [Fact]
    public async Task The_page_has_an_example_of_every_route()
    {
        var page = File.ReadAllLines(Path.Combine(Root(), "docs/http-api.md"));
        var examples = page.Where(line => line.Contains("curl ", StringComparison.Ordinal))
            .Select(line => $"{Verb(line)} {PathOf(line)}");
        Assert.Equal(await DescribedAsync(), examples.Distinct().Order());

        static string Verb(string line) => Regex.Match(line, "-X ([A-Z]+)") is { Success: true } given ? given.Groups[1].Value
            : Regex.IsMatch(line, " (-d|-F|--data-binary) ") ? "POST" : "GET";

        static string PathOf(string line)
        {
            var path = Regex.Match(line, @"http://localhost:7071/api(/[^?'\s]*)").Groups[1].Value;
            path = Regex.Replace(Regex.Replace(path, "^/models/faces-vae", "/models/{model}"), "/concepts/[a-z]+$",
                "/concepts/{name}");
            path = Regex.Replace(path, @"/versions/\$version/files/[a-z.]+$", "/versions/{version}/files/{file}");
            path = Regex.Replace(path, "^/explorer/[a-z.]+$", "/explorer/{file}");
            return path.Replace("$job", "{id}", StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_picture_of_the_page_is_there()
    {
        var page = File.ReadAllText(Path.Combine(Root(), "docs/http-api.md"));
        var pictures = Regex.Matches(page, @"!\[[^]]*\]\(([^)]+)\)").Select(picture => picture.Groups[1].Value).ToArray();
        Assert.NotEmpty(pictures);
        Assert.All(pictures, picture => Assert.True(File.Exists(Path.Combine(Root(), "docs", picture)), picture));
    }

    [Fact]
    public async Task The_document_is_the_same_each_time() => Assert.Equal(await WriteAsync(), await WriteAsync());

    [Fact]
    public async Task A_reader_of_openapi_finds_no_fault_with_the_document()
    {
        var (document, diagnostic) = OpenApiDocument.Parse(await WriteAsync(), "json");
        Assert.Empty(diagnostic!.Errors);
        Assert.Empty(diagnostic.Warnings);
        Assert.Equal(OpenApiSpecVersion.OpenApi3_1, diagnostic.SpecificationVersion);
        Assert.NotEmpty(document!.Paths);
    }

    [Fact]
    public async Task The_document_keeps_the_rules_of_openapi_3_1()
    {
        var document = await DocumentAsync();
        Assert.StartsWith("3.1.", (string)document["openapi"]!, StringComparison.Ordinal);
        Assert.NotEmpty((string)document["info"]!["title"]!);
        Assert.NotEmpty((string)document["info"]!["version"]!);
        var ids = new HashSet<string>();
        foreach (var (path, operations) in document["paths"]!.AsObject())
        {
            Assert.StartsWith("/", path, StringComparison.Ordinal);
            foreach (var (verb, operation) in operations!.AsObject())
            {
                Assert.Contains(verb, Verbs);
                Assert.True(ids.Add((string)operation!["operationId"]!), $"{path}: the operationId is used twice");
                CheckOperation(path, operation);
            }
        }
        CheckReferences(document, document);
    }

    [Fact]
    public async Task A_record_becomes_a_schema_with_its_doc_comments()
    {
        var schemas = (await DocumentAsync())["components"]!["schemas"]!;
        var judged = schemas["JudgedImage"]!;
        Assert.Equal("How strange an image is.", (string)judged["description"]!);
        Assert.Equal(
            ["score", "percentile", "verdict", "calibratedOn", "originalSize", "resized", "heatMap", "reconstruction", "overlay",
                "codeScore", "codePercentile", "strangest", "reason"],
            judged["properties"]!.AsObject().Select(property => property.Key));
        // What may be null is left out of answers, so it is not required and of one type.
        Assert.Equal(
            ["score", "verdict", "calibratedOn", "originalSize", "resized", "heatMap", "reconstruction", "overlay"],
            judged["required"]!.AsArray()
            .Select(name => (string)name!));
        Assert.Equal("number", (string)judged["properties"]!["percentile"]!["type"]!);
        Assert.Equal("Where it is strange: a PNG.", (string)judged["properties"]!["heatMap"]!["description"]!);
        Assert.Equal("base64", (string)judged["properties"]!["heatMap"]!["contentEncoding"]!);
        Assert.Equal("#/components/schemas/JudgedImage",
            (string)schemas["AnomalyAnswer"]!["properties"]!["images"]!["items"]!["$ref"]!);
        // A record of another project, out of that project's comments.
        Assert.StartsWith("What a published version is", (string)schemas["Manifest"]!["description"]!, StringComparison.Ordinal);
        Assert.NotNull(schemas["InboxResult"]);
    }

    static void CheckOperation(string path, JsonNode operation)
    {
        Assert.NotEmpty((string)operation["summary"]!);
        Assert.NotEmpty(operation["responses"]!.AsObject());
        Assert.All(operation["responses"]!.AsObject(), response => Assert.NotEmpty((string)response.Value!["description"]!));
        var parameters = operation["parameters"]?.AsArray() ?? [];
        Assert.Equal(parameters.Count, parameters.Select(parameter => $"{parameter!["in"]} {parameter["name"]}")
            .Distinct().Count());
        // Every {name} of the path is a required parameter of that place, and there are no others.
        var names = Regex.Matches(path, "{(.+?)}").Select(match => match.Groups[1].Value);
        Assert.Equal(names, parameters.Where(parameter => (string)parameter!["in"]! == "path" && (bool)parameter["required"]!)
            .Select(parameter => (string)parameter!["name"]!));
        Assert.All(parameters, parameter => Assert.NotNull(parameter!["schema"]));
        if (operation["requestBody"] is { } body)
            Assert.NotEmpty(body["content"]!.AsObject());
    }

    static void CheckReferences(JsonNode document, JsonNode? node)
    {
        if (node is JsonArray array)
        {
            foreach (var item in array)
                CheckReferences(document, item);
        }
        if (node is not JsonObject fields)
            return;
        foreach (var (name, value) in fields)
        {
            if (name == "$ref")
                Assert.NotNull(JsonSchemas.Follow(document, value!));
            CheckReferences(document, value);
        }
    }

    static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "VaeFunctions.sln")))
            folder = folder.Parent!;
        return folder.FullName;
    }
}
