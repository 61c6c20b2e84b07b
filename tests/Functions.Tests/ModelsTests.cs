namespace VaeFunctions.Tests;

[Collection(Serving.Name)]
public sealed class ModelsTests(ServingFixture serving)
{
    [Fact]
    public async Task The_list_says_what_each_serving_model_takes()
    {
        var answer = await serving.Http.SendAsync(HttpMethod.Get, "models").JsonAsync();
        var tiny = Assert.Single(answer["models"]!.AsArray(), model => (string)model!["model"]! == ServingFixture.Model)!;
        Assert.Equal("v1", (string)tiny["version"]!);
        Assert.Equal(8, (int)tiny["image"]!["width"]!);
        Assert.Equal(TinyModel.Latents, (int)tiny["latentSize"]!);
    }

    [Fact]
    public async Task A_model_shows_its_manifest_and_what_serves()
    {
        var answer = await serving.Http.SendAsync(HttpMethod.Get, $"models/{ServingFixture.Model}").JsonAsync();
        Assert.Equal("v1", (string)answer["serving"]!);
        Assert.Equal(3, answer["manifest"]!["files"]!.AsArray().Count);
    }

    [Fact]
    public async Task Versions_are_listed_newest_first_with_the_one_that_serves()
    {
        await TinyModel.ServeAsync(serving.Registry, "history", "v1");
        await TinyModel.PublishAsync(serving.Registry, "history", "v2");
        var answer = await serving.Http.SendAsync(HttpMethod.Get, "models/history/versions").JsonAsync();
        Assert.Equal("v1", (string)answer["current"]!);
        Assert.Equal(["v2", "v1"], answer["versions"]!.AsArray().Select(version => (string)version!));
    }

    [Fact]
    public async Task Health_is_live_and_ready()
    {
        Assert.Equal("live", (string)(await serving.Http.SendAsync(HttpMethod.Get, "health/live").JsonAsync())["status"]!);
        Assert.Equal("ready", (string)(await serving.Http.SendAsync(HttpMethod.Get, "health/ready").JsonAsync())["status"]!);
    }
}
