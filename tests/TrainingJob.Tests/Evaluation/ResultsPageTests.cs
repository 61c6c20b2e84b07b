using VaeFunctions.Data;
using VaeFunctions.Evaluation;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;
using VaeFunctions.Tests.Training;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Evaluation;

public sealed class ResultsPageTests
{
    static async Task<Manifest> PublishAsync(IBlobStore store, string name, int epochs)
    {
        var recipe = TinyTraining.Recipe with { Epochs = epochs };
        var (learner, state) = await TinyTraining.TrainAsync(store, recipe);
        return await new Publisher(new(store), new()) { Effort = new(Draws: 3, Images: 5) }.PublishAsync(
            name, recipe, TinyTraining.Data with { Source = "folder:/a/private/place" }, learner.Model, state.History,
            force: true);
    }

    static async Task<string> PageAsync(IBlobStore store, params Claim[] claims)
    {
        var models = new Dictionary<string, MeasuredModel>();
        foreach (var name in claims.SelectMany(claim => (string?[])[claim.Model, claim.Against]).OfType<string>().Distinct())
            models[name] = await MeasuredModel.ReadAsync(new(store), name);
        return new ResultsPage(models)
            .Write(new("All of it.", [new("Discs", "A text.", claims)]), "two cores",
            new Dictionary<string, IReadOnlyList<string>>());
    }

    [Fact]
    public async Task Every_claim_stands_beside_what_was_measured_with_its_command_and_minutes()
    {
        using var folder = new Folder();
        var (a, b) = (await PublishAsync(folder.Store, "a", 3), await PublishAsync(folder.Store, "b", 1));
        var page = await PageAsync(folder.Store,
            new("a", Manifest.TestLoss, "test loss") { AtMost = 1e6, Reference = "7" },
            new("a", Manifest.TestLoss, "impossible") { AtMost = 0 },
            new("a", Manifest.TestLoss, "difference") { Against = "b", AtMost = 0 },
            new("a", Manifest.TestLoss, "first epoch") { Epoch = 1 },
            new("a", Manifest.TestLoss, "fourth epoch") { Epoch = 4 },
            new("a", "bound_nats", "bound") { Draws = 5000 },
            new("absent", "psnr_db", "quality") { AtLeast = 1 });

        double lossA = a.Metrics[Manifest.TestLoss], lossB = b.Metrics[Manifest.TestLoss];
        Assert.Contains(FormattableString.Invariant($"| `a` | test loss | {lossA:F2} | ≤ 1000000 | ✓ | 7 | 0."), page);
        Assert.Contains(FormattableString.Invariant($"| `a` | impossible | {lossA:F2} | ≤ 0 | ✗ |"), page);
        Assert.Contains(FormattableString.Invariant($"({lossA:F2} − {lossB:F2}) | ≤ 0 |"), page);
        Assert.Matches(@"first epoch \| \d+\.\d\d \|  \|  \|", page);
        Assert.Contains("| `a` | fourth epoch | not measured |", page);
        Assert.Contains("| `a` | bound | not measured |", page); // it has 3 draws only
        Assert.Contains("| `absent` | quality | not measured | ≥ 1 |  |  |  |", page);
        Assert.Contains("./vae train a --data folder:PATH\n", page);
        Assert.Contains("./vae evaluate a --draws 5000", page);
        Assert.DoesNotContain("private", page);
    }

    [Fact]
    public async Task A_later_evaluation_on_the_same_images_counts_and_one_on_others_does_not()
    {
        using var folder = new Folder();
        var manifest = await PublishAsync(folder.Store, "a", 1);
        var claim = new Claim("a", "bound_nats", "bound") { Draws = 5000 };
        foreach (var (fingerprint, expected) in ((string, double?)[])[("another", null), (manifest.Data.Fingerprint, 42.0)])
        {
            var metrics = new Dictionary<string, double> { ["bound_nats"] = 42, ["bound_draws"] = 5000 };
            await new EvaluationFile("a", manifest.Version, "folder:elsewhere", fingerprint, metrics, [1],
                [new("hat", 2, 0.9, 0.4)]).WriteAsync(folder.Store);
            Assert.Equal(expected, (await MeasuredModel.ReadAsync(new(folder.Store), "a")).Figure(claim));
        }
        var page = await PageAsync(folder.Store, claim);
        Assert.Contains("| hat | 2 | 0.900 | 0.400 | 0.500 |", page);

        await folder.Store.WriteAsync(EvaluationFile.PathOf("a", manifest.Version), new("{}"));
        Assert.Contains("./vae evaluate a",
            (await Assert.ThrowsAsync<ModelFormatException>(() => MeasuredModel.ReadAsync(new(folder.Store), "a"))).Message);
    }

    [Theory]
    [InlineData("same", 5000, 100, 42)]
    [InlineData("same", 10, 100, 43)]
    [InlineData("same", 5000, 50, 43)]
    [InlineData("other", 5000, 100, 43)]
    public async Task A_quick_evaluation_keeps_an_earlier_bound_that_cost_more_on_the_same_images(
        string fingerprint, int draws, int images, double expected)
    {
        using var folder = new Folder();
        await File(fingerprint, 42, draws, images).WriteAsync(folder.Store);
        await File("same", 43, 50, 100).WriteAsync(folder.Store);
        var kept = (await EvaluationFile.TryReadAsync(folder.Store, "a", "v"))!.Metrics;
        Assert.Equal((expected, 43), (kept["bound_nats"], kept["psnr_db"]));
        Assert.Equal(expected == 42 ? draws : 50, kept["bound_draws"]);

        static EvaluationFile File(string fingerprint, double value, int draws, int images) =>
            new("a", "v", "folder:x", fingerprint,
            new Dictionary<string, double>
            {
                ["bound_nats"] = value,
                ["psnr_db"] = value,
                ["bound_draws"] = draws,
                ["bound_images"] = images
            }, [], []);
    }

    [Fact]
    public async Task The_anomaly_benchmark_has_its_protocol_and_a_line_for_each_label()
    {
        using var folder = new Folder();
        await new AnomalyBenchmarkFile("digits", "idx:/a/private/place", "f", "Protocol: so and so.", 2,
            [new("0", 10, 0.9, 0.7), new("1", 20, 1, 0.8)]).WriteAsync(folder.Store);
        var page = await PageAsync(folder.Store, new Claim("digits", "anomaly_best", "mean AUROC") { AtLeast = 0.93 });
        Assert.Contains("| `digits` | mean AUROC | 0.9500 | ≥ 0.93 | ✓ |", page);
        Assert.Contains("Protocol: so and so.", page);
        Assert.Contains("| 1 | 20 | 1.0000 | 0.8000 |", page);
        Assert.Contains("| mean | | 0.9500 | 0.7500 |", page);
        Assert.Contains("./vae anomaly-benchmark digits --data idx:PATH\n", page);
        Assert.DoesNotContain("private", page);
    }

    [Fact]
    public void What_the_page_has_to_show_names_recipes_that_exist()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "results.json");
        var claims = Claims.Parse(File.ReadAllText(path), path).Sections.SelectMany(section => section.Claims).ToArray();
        Assert.NotEmpty(claims);
        Assert.All(claims.SelectMany(claim => (string?[])[claim.Model, claim.Against]).OfType<string>(), name =>
            Assert.Contains(name, RecipeBook.Names));
    }

    [Theory]
    [InlineData("""{ "introduction": "", "sections": [], "more": 1 }""", "more")]
    [InlineData("""{ "introduction": "" }""", "sections")]
    [InlineData("""
        { "introduction": "", "sections": [{ "title": "", "text": "", "claims": [
          { "model": "a", "metric": "b", "what": "c", "atMost": 1, "atLeast": 2 }] }] }
        """, "at least 2 and at most 1")]
    [InlineData("""
        { "introduction": "", "sections": [{ "title": "", "text": "", "claims": [
          { "model": "a", "metric": "b", "what": "c", "epoch": 0 }] }] }
        """, "epoch 0")]
    public void Claims_that_make_no_sense_are_refused(string json, string expected)
    {
        var error = Assert.Throws<DataException>(() => Claims.Parse(json, "claims.json"));
        Assert.Contains("claims.json", error.Message);
        Assert.Contains(expected, error.Message);
    }
}
