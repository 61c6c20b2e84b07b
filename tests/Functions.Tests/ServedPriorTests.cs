using System.Text.Json;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

public sealed class ServedPriorTests
{
    static readonly Manifest Manifest = new()
    {
        Model = "fitted",
        Version = "v1",
        Kind = "tiny",
        Created = DateTimeOffset.UnixEpoch,
        Image = TinyModel.Shape,
        LatentSize = 3,
        Loss = "none",
        Prior = Prior.Fitted,
        Recipe = JsonDocument.Parse("{}").RootElement,
        Data = new("none", "none", 0, 0),
    };

    [Fact]
    public async Task Nothing_is_drawn_or_judged_for_who_has_gone()
    {
        var mixture = new GaussianMixtureOptions { Latent = 3, Components = 2, Rank = 3 }.Build(1);
        using var prior = new ServedPrior(Manifest, new([], [], PublishedGraphs.Prior(mixture).ToArray(), [])
        {
            Density = PublishedGraphs.Density(mixture).ToArray(),
        }, new());
        Assert.Equal(5, (await prior.DrawAsync(5, 1, 1, 0, default)).Length);
        Assert.Single((await prior.LogDensitiesAsync([[0, 0, 0]], default))!);

        var gone = new CancellationToken(canceled: true);
        Assert.ThrowsAny<OperationCanceledException>(() => prior.Draw(5, 1, 1, 0, gone));
        Assert.ThrowsAny<OperationCanceledException>(() => prior.LogDensities([[0, 0, 0]], gone));
    }

    [Fact]
    public void Codes_are_drawn_no_further_for_who_has_gone()
    {
        var model = new VqVaeOptions
        {
            Image = TinyModel.Shape,
            Channels = [6],
            Blocks = 0,
            Codes = 7,
            Depth = 2,
            PriorChannels = 6,
            PriorBlocks = 1,
            Likelihood = new BernoulliOptions(),
        }.Build(1);
        var graph = PublishedGraphs.Prior((IAutoregressive)model).ToArray();
        var manifest = Manifest with { Prior = Prior.Autoregressive, LatentSize = model.LatentSize };
        using var prior = new ServedPrior(manifest, new([], [], graph, []), new());
        Assert.Equal(5, prior.Draw(5, 1, 1, 0, default).Length);
        Assert.ThrowsAny<OperationCanceledException>(() => prior.Draw(5, 1, 1, 0, new CancellationToken(canceled: true)));
    }
}
