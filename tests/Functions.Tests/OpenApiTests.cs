using System.Text.Json.Nodes;

namespace VaeFunctions.Tests;

/// <summary>What openapi.json says is what the functions do.</summary>
[Collection(Serving.Name)]
public sealed class OpenApiTests(ServingFixture serving)
{
    const string Tiny = $"models/{ServingFixture.Model}";

    async Task<JsonNode> DocumentAsync() => await serving.Http.SendAsync(HttpMethod.Get, "openapi.json").JsonAsync();

    [Fact]
    public async Task What_the_document_says_of_a_field_is_what_is_enforced()
    {
        var body = (await DocumentAsync())["paths"]!["/models/{model}/interpolate"]!["post"]!["requestBody"]!["content"]![
            "application/json"]!;
        var steps = body["schema"]!["properties"]!["steps"]!;
        Assert.Equal((2, 256), ((int)steps["minimum"]!, (int)steps["maximum"]!));
        var wrong = """{"stops": [{"seed": 1}, {"seed": 2}], "steps": 257}""".Json();
        var problem = await serving.Http.SendAsync(HttpMethod.Post, $"{Tiny}/interpolate", wrong).ProblemAsync(400);
        Assert.Contains("from 2 to 256", problem, StringComparison.Ordinal);
    }

    public static TheoryData<string, string, string?> Calls => new()
    {
        { "/models", "models", null },
        { "/models/{model}", Tiny, null },
        { "/models/{model}/versions", $"{Tiny}/versions", null },
        { "/models/{model}/concepts", $"{Tiny}/concepts", null },
        { "/models/{model}/jobs", $"{Tiny}/jobs", null },
        { "/models/{model}/sample", $"{Tiny}/sample?count=2", null },
        { "/models/{model}/sample", $"models/{ServingFixture.Labelled}/sample?count=2", null },
        { "/models/{model}/manifold", $"{Tiny}/manifold?n=2", null },
        { "/models/{model}/encode", $"{Tiny}/encode", """{"images": ["IMAGE"]}""" },
        { "/models/{model}/reconstruct", $"{Tiny}/reconstruct", """{"images": ["IMAGE"]}""" },
        { "/models/{model}/anomaly", $"{Tiny}/anomaly", """{"images": ["IMAGE"]}""" },
        { "/models/{model}/anomaly", $"models/{ServingFixture.WithoutPrior}/anomaly", """{"images": ["IMAGE"]}""" },
        { "/models/{model}/augment", $"{Tiny}/augment", """{"images": ["IMAGE"], "count": 2}""" },
        { "/models/{model}/decode", $"{Tiny}/decode", """{"latents": [0, 0, 0, 0]}""" },
        { "/models/{model}/interpolate", $"{Tiny}/interpolate", """{"stops": [{"seed": 1}, {"seed": 2}]}""" },
        { "/models/{model}/arithmetic", $"{Tiny}/arithmetic", """{"terms": [{"seed": 1}]}""" },
        { "/models/{model}/edit", $"{Tiny}/edit", """{"image": "IMAGE", "concepts": {"bright": 1}}""" },
        { "/health/live", "health/live", null },
        { "/health/ready", "health/ready", null },
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task An_answer_has_the_form_that_the_document_gives_it(string path, string route, string? body)
    {
        var document = await DocumentAsync();
        var content = body?.Replace("IMAGE", Convert.ToBase64String(Pictures.Bands(0, 100, 200, 255)),
            StringComparison.Ordinal).Json();
        var answer = await serving.Http.SendAsync(
            content is null ? HttpMethod.Get : HttpMethod.Post, route, content, "application/json").JsonAsync();
        var operation = document["paths"]![path]![content is null ? "get" : "post"]!;
        JsonSchemas.Check(document, operation["responses"]!["200"]!["content"]!["application/json"]!["schema"]!, answer);
    }

    [Fact]
    public async Task A_problem_has_the_form_that_the_document_gives_it()
    {
        using var response = await serving.Http.GetAsync("models/absent");
        var document = await DocumentAsync();
        JsonSchemas.Check(document, document["components"]!["schemas"]!["Problem"]!,
            JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }
}
