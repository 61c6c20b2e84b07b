using VaeFunctions.Evaluation;
using VaeFunctions.Models;
using VaeFunctions.Tests.Training;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Evaluation;

public class FeatureMeasuresTests
{
    /// <summary>Rows of independent normal numbers with a mean and a deviation for each column.</summary>
    static float[] Normal(string name, int count, params (double Mean, double Deviation)[] columns)
    {
        var random = new RandomStream(1, name);
        return [.. Enumerable.Range(0, count).SelectMany(_ => columns,
            (_, column) => (float)(column.Mean + column.Deviation * random.NextGaussian()))];
    }

    /// <summary>Of Gaussians with diagonal covariances it is Σ (μ₁ − μ₂)² + (σ₁ − σ₂)².</summary>
    [Fact]
    public void The_Frechet_distance_of_Gaussians_is_that_of_their_means_and_deviations()
    {
        var first = Normal("first", 40_000, (0, 1), (2, 3), (0, 0.5));
        var second = Normal("second", 40_000, (1, 1), (2, 1), (-1, 0.5));
        Assert.Equal(1 + 4 + 1, FrechetDistance.Of(first, second, 3), 0.1);
        Assert.Equal(FrechetDistance.Of(first, second, 3), FrechetDistance.Of(second, first, 3), 1e-9);
        Assert.Equal(0, FrechetDistance.Of(first, first, 3), 1e-9);
    }

    /// <summary>Correlation 1 and −1 with equal deviations: Σ₁ Σ₂ = 0, and the distance is both traces together.</summary>
    [Fact]
    public void The_Frechet_distance_sees_correlations_and_bears_singular_covariances()
    {
        var line = Normal("line", 20_000, (0, 1));
        float[] up = [.. line.SelectMany(x => (float[])[x, x])], down = [.. line.SelectMany(x => (float[])[x, -x])];
        Assert.Equal(4, FrechetDistance.Of(up, down, 2), 0.1);
    }

    [Fact]
    public void One_vector_is_no_distribution() => Assert.Contains("two or more",
        Assert.Throws<ArgumentException>(() => FrechetDistance.Of([1, 2], [1, 2, 3, 4], 2)).Message);

    [Fact]
    public void Precision_and_recall_tell_what_is_drawn_wrongly_from_what_is_not_drawn()
    {
        // Real images are of two kinds, at 0 and at 100.
        float[] real = [.. Normal("kind", 300, (0, 1), (0, 1)), .. Normal("other kind", 300, (100, 1), (100, 1))];
        var same = PrecisionAndRecall.Of(real, [.. Normal("a", 300, (0, 1), (0, 1)), .. Normal("b", 300, (100, 1), (100, 1))], 2);
        Assert.InRange(same.Precision, 0.9, 1);
        Assert.InRange(same.Recall, 0.9, 1);

        var oneKind = PrecisionAndRecall.Of(real, Normal("a", 600, (0, 1), (0, 1)), 2);
        Assert.InRange(oneKind.Precision, 0.9, 1);
        Assert.InRange(oneKind.Recall, 0.4, 0.52);

        var between = PrecisionAndRecall.Of(real, Normal("between", 600, (50, 1), (50, 1)), 2);
        Assert.Equal(new(0, 0), between);
    }

    [Theory]
    [InlineData(1f, null, true)]
    [InlineData(0f, null, false)]
    [InlineData(0f, true, true)]
    public void The_network_looks_on_where_the_recipe_trains_with_it_or_where_it_is_asked_to(
        float perceptual, bool? asked, bool expected)
    {
        var recipe = TinyTraining.Recipe with { Objective = new() { Perceptual = perceptual } };
        var metrics = ModelEvaluation.Of(TinyTraining.Build(recipe).Model, TinyTraining.Data, recipe,
            new(Draws: 2, Images: 2) { Features = asked }).Metrics;
        Assert.Equal(expected, metrics.ContainsKey("perceptual_distance"));
        Assert.Equal(perceptual == 0, metrics.ContainsKey("bound_nats"));
    }

    /// <summary>A density far from N(0, I): the numbers differ, and without one there is nothing to compare.</summary>
    [Fact]
    public void A_fitted_prior_is_compared_with_none()
    {
        var model = TinyTraining.Build(TinyTraining.Recipe).Model;
        Assert.DoesNotContain("frechet_unfitted", Measured().Keys);

        var mixture = (GaussianMixture)new GaussianMixtureOptions { Latent = 3, Components = 1, Rank = 1 }.Build();
        mixture.Assign([30, -30, 30], new double[,] { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } },
            [(1, [0], new double[,] { { 0.1 } })], [0.1, 0.1]);
        var own = Measured()["frechet_samples"];
        model.Density = mixture;
        var fitted = Measured();
        Assert.Equal(own, fitted["frechet_unfitted"]);
        Assert.NotEqual(own, fitted["frechet_samples"]);

        Dictionary<string, double> Measured()
        {
            var metrics = new Dictionary<string, double>();
            FeatureMeasures.Add(metrics, model, TinyTraining.Data, 1);
            return metrics;
        }
    }

    [Fact]
    public void Codes_of_a_codebook_are_compared_with_codes_drawn_equally_often()
    {
        var metrics = new Dictionary<string, double>();
        FeatureMeasures.Add(metrics, TinyTraining.Build(TechniqueTests.Named("codebook")).Model, TinyTraining.Data, 1);
        Assert.InRange(metrics["frechet_unfitted"], 0, double.MaxValue);
        Assert.NotEqual(metrics["frechet_samples"], metrics["frechet_unfitted"]);
    }

    [Fact]
    public async Task Better_models_are_nearer_in_the_features_of_the_pretrained_network()
    {
        using var folder = new Folder();
        var recipe = TinyTraining.Recipe with { Epochs = 25 };
        var untrained = Measured(TinyTraining.Build(recipe));
        var (learner, _) = await TinyTraining.TrainAsync(folder.Store, recipe);
        var trained = Measured(learner);
        foreach (var metric in (string[])["perceptual_distance", "frechet_samples"])
            Assert.InRange(trained[metric], 0, 0.8 * untrained[metric]);
        Assert.Equal(100, trained["feature_samples"]);
        Assert.InRange(trained["precision"], untrained["precision"], 1);
        Assert.DoesNotContain("frechet_reconstructions", trained.Keys); // of 30 test images

        Dictionary<string, double> Measured(Learner learner)
        {
            var metrics = new Dictionary<string, double>();
            FeatureMeasures.Add(metrics, learner.Model, TinyTraining.Data, 1);
            Assert.All(metrics.Keys, metric => Assert.NotEqual("", MetricWords.Words(metric)));
            return metrics;
        }
    }
}
