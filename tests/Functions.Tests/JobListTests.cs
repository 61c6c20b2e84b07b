using System.Text.Json.Nodes;
using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

[Collection(Serving.Name)]
public sealed class JobListTests(ServingFixture serving)
{
    async Task<JsonArray> ListAsync(string model) =>
        (await serving.Http.SendAsync(HttpMethod.Get, $"models/{model}/jobs").JsonAsync())["jobs"]!.AsArray();

    [Fact]
    public async Task The_jobs_of_a_model_that_cannot_be_loaded_are_listed_newest_first()
    {
        var jobs = new JobStore(serving.Registry.Store);
        string[] ids = [.. Enumerable.Range(0, 60).Select(i => $"20260102t0304{i:00}-0a")];
        var job = new Job(ids[0], "withdrawn", "encode", "inbox/a/", "results/a/", null, 7, DateTimeOffset.UtcNow);
        foreach (var id in ids)
            await jobs.CreateAsync(job with { Id = id }, default);
        var listed = await ListAsync("withdrawn");
        Assert.Equal(ids.Reverse().Take(50), listed.Select(line => (string)line!["id"]!));
        Assert.All(listed, line => Assert.Equal("listing", (string)line!["state"]!));
    }

    [Fact]
    public async Task A_model_without_jobs_has_none_and_one_that_is_not_there_is_not_found()
    {
        Assert.Empty(await ListAsync(ServingFixture.WithoutPrior));
        foreach (var model in (string[])["absent", "Not%20a%20name"])
        {
            var problem = await serving.Http.SendAsync(HttpMethod.Get, $"models/{model}/jobs").ProblemAsync(404);
            Assert.Contains("There are: ", problem, StringComparison.Ordinal);
        }
        Assert.Contains("seed", await serving.Http.SendAsync(HttpMethod.Get, "models/tiny/jobs?seed=1").ProblemAsync(400),
            StringComparison.Ordinal);
    }
}
