namespace VaeFunctions.Tests;

[Collection(Serving.Name)]
public sealed class ConcurrencyTests(ServingFixture serving)
{
    [Fact]
    public async Task Requests_that_share_runs_get_the_answers_they_would_get_alone()
    {
        static string Path(int seed) => $"models/{ServingFixture.Model}/sample?count={1 + seed % 5}&seed={seed}";
        byte[][] alone = new byte[24][];
        for (var i = 0; i < alone.Length; i++)
            alone[i] = await serving.Http.SendAsync(HttpMethod.Get, Path(i)).BytesAsync("image/png");
        var together = await Task.WhenAll(
            Enumerable.Range(0, 240).Select(i => serving.Http.SendAsync(HttpMethod.Get, Path(i % 24)).BytesAsync("image/png")));
        for (var i = 0; i < together.Length; i++)
            Assert.Equal(alone[i % 24], together[i]);
    }
}
