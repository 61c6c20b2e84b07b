using VaeFunctions.Imaging;

namespace VaeFunctions.Tests;

/// <summary>Operations on a version that does not serve.</summary>
[Collection(Serving.Name)]
public sealed class NamedVersionTests(ServingFixture serving)
{
    const string Model = "with-versions";

    const string Grey = """{"latents": [0, 0, 0, 0]}""";

    async Task PublishAsync(params string[] versions)
    {
        if (await serving.Registry.ReadCurrentAsync(Model) is null)
            await TinyModel.ServeAsync(serving.Registry, Model, "v1");
        var known = await serving.Registry.ListVersionsAsync(Model);
        foreach (var version in versions.Except(known))
            await TinyModel.PublishAsync(serving.Registry, Model, version, decoder: TinyModel.Decoder(shift: 0.25f));
    }

    [Theory]
    [InlineData("?version=v2", Grey)]
    [InlineData("", """{"latents": [0, 0, 0, 0], "version": "v2"}""")]
    public async Task A_version_is_asked_by_its_name(string query, string body)
    {
        await PublishAsync("v2");
        using var serves = await serving.Http.SendAsync(HttpMethod.Post, $"models/{Model}/decode", Grey.Json());
        using var named = await serving.Http.SendAsync(HttpMethod.Post, $"models/{Model}/decode{query}", body.Json());
        Assert.Equal("v1", serves.Header("X-Version"));
        Assert.Equal("v2", named.Header("X-Version"));
        Assert.Equal(128, ImageCodec.Decode(await serves.Content.ReadAsByteArrayAsync()).Pixels[0]);
        Assert.Equal(191, ImageCodec.Decode(await named.Content.ReadAsByteArrayAsync()).Pixels[0]);
    }

    [Fact]
    public async Task More_versions_than_are_kept_loaded_answer_by_turns()
    {
        string[] versions = ["v2", "v3", "v4", "v5", "v6", "v7"];
        await PublishAsync(versions);
        var asked = versions.Concat(versions).Select(async version =>
        {
            using var answer =
                await serving.Http.SendAsync(HttpMethod.Post, $"models/{Model}/decode?version={version}", Grey.Json());
            Assert.Equal(version, answer.Header("X-Version"));
            return ImageCodec.Decode(await answer.Content.ReadAsByteArrayAsync()).Pixels[0];
        });
        Assert.All(await Task.WhenAll(asked), pixel => Assert.Equal(191, pixel));
    }

    [Theory]
    [InlineData("v99", 404)]
    [InlineData("..%2Fv1", 404)]
    public async Task A_version_that_is_not_there_is_not_found(string version, int status)
    {
        await PublishAsync("v2");
        var reason = await serving.Http
            .SendAsync(HttpMethod.Post, $"models/{Model}/decode?version={version}", Grey.Json()).ProblemAsync(status);
        Assert.Contains("version", reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_version_that_cannot_be_used_is_said_to_be_so_and_the_model_keeps_serving()
    {
        await PublishAsync("v2");
        if (!(await serving.Registry.ListVersionsAsync(Model)).Contains("w1"))
            await TinyModel.PublishAsync(serving.Registry, Model, "w1", decoder: [1, 2, 3]);
        await serving.Http.SendAsync(HttpMethod.Post, $"models/{Model}/decode?version=w1", Grey.Json()).ProblemAsync(503);
        await serving.Http.SendAsync(HttpMethod.Post, $"models/{Model}/decode", Grey.Json()).PngAsync();
    }

    [Fact]
    public async Task A_bulk_job_takes_a_version_too()
    {
        await PublishAsync("v2");
        using var started = await serving.Http.SendAsync(HttpMethod.Post, $"models/{Model}/jobs?version=v2",
            """{"operation": "encode", "input": "inbox/a/", "output": "results/a/"}""".Json());
        var status = await serving.Http.SendAsync(HttpMethod.Get, $"{started.Headers.Location}").JsonAsync();
        Assert.Equal("v2", (string?)status["version"]);
    }
}
