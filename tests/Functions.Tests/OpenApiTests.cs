using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace VaeFunctions.Tests;

[Collection(Serving.Name)]
public sealed class OpenApiTests(ServingFixture serving)
{
    static readonly string[] Verbs = ["get", "post", "put", "delete"];

    async Task<JsonNode> DocumentAsync() => await serving.Http.SendAsync(HttpMethod.Get, "openapi.json").JsonAsync();

    [Fact]
    public async Task Every_route_that_the_host_serves_is_described_and_no_other()
    {
        var described = (await DocumentAsync())["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(operation => $"{operation.Key.ToUpperInvariant()} /api{path.Key}"));
        // The host prints its routes when it starts.
        var served = Regex.Matches(serving.Log, "^.*\\] ([A-Z,]+) (/api/\\S+)\\s*$", RegexOptions.Multiline)
            .SelectMany(line => line.Groups[1].Value.Split(',').Select(verb => $"{verb} {line.Groups[2].Value}"));
        Assert.Equal(served.Order(), described.Order());
    }

    [Fact]
    public async Task The_page_has_an_example_of_every_route()
    {
        var page = File.ReadAllLines(Path.Combine(Root(), "docs/http-api.md"));
        var examples = page.Where(line => line.Contains("curl ", StringComparison.Ordinal)).Select(line =>
        {
            var path = Regex.Match(line, @"http://localhost:7071/api(/[^?'\s]*)").Groups[1].Value;
            return $"{Verb(line)} {Regex.Replace(Regex.Replace(path, "^/models/faces-vae", "/models/{model}"), "/concepts/[a-z]+$", "/concepts/{name}").Replace("$job", "{id}", StringComparison.Ordinal)}";
        });
        var described = (await DocumentAsync())["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(operation => $"{operation.Key.ToUpperInvariant()} {path.Key}"));
        Assert.Equal(described.Order(), examples.Distinct().Order());

        static string Verb(string line) => Regex.Match(line, "-X ([A-Z]+)") is { Success: true } given ? given.Groups[1].Value : Regex.IsMatch(line, " (-d|-F|--data-binary) ") ? "POST" : "GET";
    }

    [Fact]
    public void Every_picture_of_the_page_is_there()
    {
        var pictures = Regex.Matches(File.ReadAllText(Path.Combine(Root(), "docs/http-api.md")), @"!\[[^]]*\]\(([^)]+)\)").Select(picture => picture.Groups[1].Value).ToArray();
        Assert.NotEmpty(pictures);
        Assert.All(pictures, picture => Assert.True(File.Exists(Path.Combine(Root(), "docs", picture)), picture));
    }

    static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "VaeFunctions.sln"))) folder = folder.Parent!;
        return folder.FullName;
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
                Assert.NotEmpty((string)operation["summary"]!);
                Assert.NotEmpty(operation["responses"]!.AsObject());
                Assert.All(operation["responses"]!.AsObject(), response => Assert.NotEmpty((string)response.Value!["description"]!));
                var parameters = operation["parameters"]!.AsArray();
                Assert.Equal(parameters.Count, parameters.Select(parameter => $"{parameter!["in"]} {parameter["name"]}").Distinct().Count());
                // Every {name} of the path is a required parameter of that place, and there are no others.
                var names = Regex.Matches(path, "{(.+?)}").Select(match => match.Groups[1].Value);
                Assert.Equal(names, parameters.Where(parameter => (string)parameter!["in"]! == "path" && (bool)parameter["required"]!).Select(parameter => (string)parameter!["name"]!));
                Assert.All(parameters, parameter => Assert.NotNull(parameter!["schema"]));
                if (operation["requestBody"] is { } body) Assert.NotEmpty(body["content"]!.AsObject());
            }
        }
        CheckReferences(document, document);
    }

    [Fact]
    public async Task What_the_document_says_of_a_field_is_what_is_enforced()
    {
        var steps = (await DocumentAsync())["paths"]!["/models/{model}/interpolate"]!["post"]!["requestBody"]!["content"]!["application/json"]!["schema"]!["properties"]!["steps"]!;
        Assert.Equal((2, 256), ((int)steps["minimum"]!, (int)steps["maximum"]!));
        var body = """{"stops": [{"seed": 1}, {"seed": 2}], "steps": 257}""".Json();
        Assert.Contains("from 2 to 256", await serving.Http.SendAsync(HttpMethod.Post, $"models/{ServingFixture.Model}/interpolate", body).ProblemAsync(400), StringComparison.Ordinal);
    }

    static void CheckReferences(JsonNode document, JsonNode? node)
    {
        if (node is JsonArray array)
            foreach (var item in array) CheckReferences(document, item);
        if (node is not JsonObject fields) return;
        foreach (var (name, value) in fields)
        {
            if (name == "$ref")
            {
                JsonNode? target = document;
                foreach (var part in ((string)value!)[2..].Split('/')) target = target?[part];
                Assert.NotNull(target);
            }
            CheckReferences(document, value);
        }
    }
}
