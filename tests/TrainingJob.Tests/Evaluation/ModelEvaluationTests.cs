using VaeFunctions.Data;
using VaeFunctions.Evaluation;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Tests.Training;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Evaluation;

/// <summary>A store that goes when the test ends.</summary>
sealed class Folder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("evaluation-").FullName;

    public FolderBlobStore Store => new(System.IO.Path.Combine(Path, "runs"));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

public sealed class ModelEvaluationTests
{
    static readonly EvaluationOptions Few = new(Draws: 8, Images: 10);

    static async Task<(Vae Model, ModelEvaluation Evaluation, Measure Loss)> TrainAsync(Recipe recipe, DataSplit? data = null)
    {
        using var folder = new Folder();
        var (learner, state) = await TinyTraining.TrainAsync(folder.Store, recipe, data);
        var evaluation = ModelEvaluation.Of(learner.Model, data ?? TinyTraining.Data, recipe, Few);
        Assert.All(evaluation.Metrics.Keys, metric => Assert.NotEqual("", MetricWords.Words(metric)));
        return (learner.Model, evaluation, state.History[^1].Test);
    }

    [Fact]
    public async Task A_variational_autoencoder_is_measured_by_its_bounds_and_pictures()
    {
        var (_, evaluation, loss) = await TrainAsync(TinyTraining.Recipe with { Epochs = 10 });
        var metrics = evaluation.Metrics;
        Assert.Equal(["active_units", "bound_bits_per_dim", "bound_draws", "bound_images", "bound_nats", "bound_standard_error",
            "latents", "negative_elbo", "psnr_db",
            "sharpness_data", "sharpness_reconstructions", "sharpness_samples", "ssim", "test_images"],
            metrics.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(loss.Loss, metrics["negative_elbo"], 4);
        Assert.Equal(loss.MeanKl, evaluation.KlPerLatent.Sum(), 4);
        Assert.Equal(3, evaluation.KlPerLatent.Count);
        Assert.InRange(metrics["active_units"], 1, 3);
        Assert.Equal((8, 10), (metrics["bound_draws"], metrics["bound_images"]));
        Assert.InRange(metrics["ssim"], 0.2, 0.999);
        Assert.InRange(metrics["psnr_db"], 8, 40);
        Assert.InRange(evaluation.Anomaly.Quantiles["0.99"], evaluation.Anomaly.Quantiles["0.5"], 1);
    }

    [Fact]
    public async Task Collapsed_latents_are_not_active()
    {
        var objective = new Objective { Kl = new ConstantKl { Weight = 1e4f } };
        var (_, evaluation, _) = await TrainAsync(TinyTraining.Recipe with { Epochs = 6, Objective = objective });
        Assert.Equal(0, evaluation.Metrics["active_units"]);
    }

    [Fact]
    public async Task A_plain_autoencoder_has_pictures_but_no_bounds()
    {
        var model = new MlpAutoencoderOptions
        {
            Image = new(8, 8, 1),
            Hidden = [16],
            Latent = 3,
            Likelihood = new SquaredErrorOptions()
        };
        var (_, evaluation, _) = await TrainAsync(TinyTraining.Recipe with { Model = model });
        Assert.Equal(["psnr_db", "sharpness_data", "sharpness_reconstructions", "ssim", "test_images"],
            evaluation.Metrics.Keys.Order(StringComparer.Ordinal));
    }

    static VqVaeOptions Codebook => new()
    {
        Image = new(8, 8, 1),
        Channels = [8],
        Blocks = 0,
        Codes = 6,
        Depth = 4,
        PriorChannels = 8,
        PriorBlocks = 1,
        Likelihood = new SquaredErrorOptions()
    };

    [Fact]
    public async Task A_codebook_is_measured_by_its_use()
    {
        var (_, evaluation, loss) = await TrainAsync(TinyTraining.Recipe with { Model = Codebook });
        Assert.Equal(loss.Perplexity!.Value, evaluation.Metrics["codebook_perplexity"], 6);
        Assert.InRange(evaluation.Metrics["codes_used"], 1 / 6.0, 1);
        Assert.InRange(evaluation.Metrics["codebook_perplexity"], 1, 6 * evaluation.Metrics["codes_used"] + 1e-9);
        Assert.DoesNotContain("active_units", evaluation.Metrics.Keys);
    }

    [Fact]
    public async Task A_codebook_of_which_nothing_is_drawn_gives_the_same_bound_for_every_k()
    {
        var (vae, _, _) = await TrainAsync(TinyTraining.Recipe with { Model = Codebook, Epochs = 1 });
        var (one, many) =
            (ImportanceWeightedBound.Of(vae, TinyTraining.Data.Test, 1, 30, 1),
            ImportanceWeightedBound.Of(vae, TinyTraining.Data.Test, 50, 30, 2));
        Assert.Equal(one.Nats, many.Nats, 9);
    }

    [Fact]
    public async Task Known_attributes_give_a_mutual_information_gap()
    {
        var discs = TinyTraining.Discs(100, 1);
        var brightness = new float[100, 1];
        for (var i = 0; i < 100; i++) brightness[i, 0] = discs.Image(i).Pixels.Sum(pixel => pixel);
        var known = new ImageDataset(discs.Shape, [.. Enumerable.Range(0, 100).Select(i => discs.Image(i).Pixels)],
            attributes: brightness, attributeNames: ["brightness"]);
        var (_, evaluation, _) = await TrainAsync(TinyTraining.Recipe with { Epochs = 2 }, DataSplit.Of(known, known, "discs"));
        Assert.Equal("brightness", Assert.Single(evaluation.Attributes).Name);
        Assert.InRange(evaluation.Metrics["mutual_information_gap"], 0, 1);
    }
}
