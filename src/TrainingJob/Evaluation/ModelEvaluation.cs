using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Evaluation;

/// <summary>How much is measured.</summary>
/// <param name="Draws">k of the importance-weighted bound.</param>
/// <param name="Images">Test images for that bound, at most; everything else takes all of them.</param>
/// <param name="Learners">Training images that the linear probe and the mutual information learn from, at most.</param>
public sealed record EvaluationOptions(int Draws = 50, int Images = 200, int Learners = 10_000)
{
    /// <summary>Whether a pretrained network looks at reconstructions and samples; unless given, where the recipe trains with
    /// it.</summary>
    public bool? Features { get; init; }

    /// <summary>Told what is being done.</summary>
    public Action<string>? Log { get; init; }
}

/// <summary>All that is measured of a trained model on test images.</summary>
/// <param name="Metrics">By name, as they go into the manifest; what makes no sense for a model is not there.</param>
/// <param name="KlPerLatent">In nats, the mean over images.</param>
/// <param name="Anomaly">The anomaly scores of ordinary images.</param>
/// <param name="Attributes">What the latents know of each attribute, where the data has them.</param>
public sealed record ModelEvaluation(
    IReadOnlyDictionary<string, double> Metrics, IReadOnlyList<double> KlPerLatent, AnomalyCalibration Anomaly,
    IReadOnlyList<AttributeScore> Attributes)
{
    /// <summary>A latent whose posterior mean varies by no more is not in use. (Burda et al. 2016, §5.1)</summary>
    public const double ActiveVariance = 0.01;

    /// <summary>Whether each latent is in use; empty for codes.</summary>
    public IReadOnlyList<bool> InUse { get; init; } = [];

    /// <summary>What the metrics of the importance-weighted bound start with.</summary>
    public const string Bound = "bound_";

    const int Samples = 256, FewestForHistograms = 100;

    /// <summary>Samples of a model that draws them code by code, each with a pass through its prior.</summary>
    const int SlowSamples = 64;

    const int ClassifierImages = 60_000;
    const int ClassifierEpochs = 6;
    const float ClassifierRate = 1.5e-3f;

    static readonly double[] Quantiles = [0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999];

    public static ModelEvaluation Of(
        Vae model, DataSplit data, Recipe recipe, EvaluationOptions options, CancellationToken cancellation = default)
    {
        var test = data.Test;
        options.Log?.Invoke($"measuring {test.Count:N0} test images");
        var scores = ImageScores.Of(model, test, recipe.Seed, cancellation: cancellation);
        var metrics = new Dictionary<string, double>
        {
            ["test_images"] = test.Count,
            ["psnr_db"] = scores.Psnr.Average(),
            ["ssim"] = scores.Ssim.Average(),
            ["sharpness_data"] = Enumerable.Range(0, test.Count).Average(i => ImageTraits.VarianceOfLaplacian(test.Image(i))),
            ["sharpness_reconstructions"] = scores.Sharpness.Average(),
        };
        if (model is IAutoregressive quantised)
        {
            metrics["codebook_perplexity"] = Measure.PerplexityOf(scores.Codes.Values);
            metrics["codes_used"] = scores.Codes.Count / (double)quantised.Codes;
        }
        bool[] inUse = model is IAutoregressive ? []
            : [.. Statistics.Variances(scores.Means, model.LatentSize).Select(variance => variance > ActiveVariance)];
        if (model.BoundsLikelihood) AddBounds(metrics, model, test, recipe, scores, inUse, options, cancellation);
        AddSamples(metrics, model, data, recipe.Seed, options, cancellation);
        if (options.Features ?? recipe.Objective.Perceptual > 0)
        {
            options.Log?.Invoke("looking at reconstructions and samples with a pretrained network");
            FeatureMeasures.Add(metrics, model, data, recipe.Seed, cancellation);
        }

        var (learners, attributes) = (Some(data.Train, options.Learners), (IReadOnlyList<AttributeScore>)[]);
        if (test.Labels is not null && test.LabelNames.Count > 1 || test.Attributes is not null)
        {
            options.Log?.Invoke($"reading labels and attributes from the latents of {learners.Count:N0} training images");
            var means = ImageScores.MeansOf(model, learners, cancellation);
            if (test.Labels is not null && test.LabelNames.Count > 1)
            {
                metrics["majority_class_accuracy"] =
                    test.Labels.GroupBy(label => label).Max(images => images.Count()) / (double)test.Count;
                metrics["linear_probe_accuracy"] = LinearProbe.Accuracy(model.Parameters.Backend, model.LatentSize,
                    test.LabelNames.Count, means, learners.Labels!, scores.Means, test.Labels, cancellation);
            }
            // Histograms of fewer images find information where there is none.
            if (learners.Attributes is { } truth && learners.Count >= FewestForHistograms)
            {
                attributes = MutualInformation.Of(means, model.LatentSize, truth, learners.AttributeNames);
                if (attributes.Count > 0)
                    metrics["mutual_information_gap"] = attributes.Average(attribute => attribute.Gap);
            }
        }
        var calibration = Calibrate(scores, recipe);
        return new(metrics, scores.KlPerLatent, calibration, attributes) { InUse = inUse };
    }

    /// <summary>Thresholds for the scores that are served, from images the model was not trained on.</summary>
    /// <remarks>The images' own traits do not count where the recipe draws images black and white, which served ones are
    /// not.</remarks>
    public static AnomalyCalibration Calibrate(ImageScores scores, Recipe recipe)
    {
        var calibration = new AnomalyCalibration(Thresholds(scores.Error, Quantiles))
        {
            Codes = scores.Surprise is { } surprise && surprise.All(double.IsFinite)
                ? Thresholds(surprise, [0, .. Quantiles])
                : null,
            Traits = recipe.Binarize == BinarizationKind.None
                ? scores.Traits[0].Keys.ToDictionary(trait => trait, IReadOnlyDictionary<string, double> (trait) =>
                    Thresholds([.. scores.Traits.Select(image => image[trait])], Quantiles))
                : null,
        };
        return calibration with { Joint = Thresholds(scores.Joint(calibration), [0, .. Quantiles]) };
    }

    /// <summary>The scores below which such parts of all lie, by the part's name.</summary>
    internal static Dictionary<string, double> Thresholds(double[] scores, double[] parts)
    {
        double[] sorted = [.. scores.Order()];
        return parts.ToDictionary(part => FormattableString.Invariant($"{part}"), part => Statistics.Quantile(sorted, part));
    }

    static void AddBounds(
        Dictionary<string, double> metrics, Vae model, ImageDataset test, Recipe recipe, ImageScores scores,
        bool[] inUse, EvaluationOptions options, CancellationToken cancellation)
    {
        metrics["negative_elbo"] = scores.NegativeElbo.Average();
        if (inUse.Length > 0)
        {
            metrics["active_units"] = inUse.Count(used => used);
            metrics["latents"] = model.LatentSize;
        }
        if (recipe.Objective.Perceptual > 0) return; // its terms are no likelihood, and images so large take minutes
        options.Log?.Invoke($"bounding the likelihood of {Plural.Of(Math.Min(options.Images, test.Count), "image")} with "
            + $"{Plural.Of(options.Draws, "draw")} each");
        var next = DateTime.UtcNow.AddSeconds(15);
        var bound = ImportanceWeightedBound.Of(model, test, options.Draws, options.Images, recipe.Seed, Progress, cancellation);
        metrics[Bound + "nats"] = bound.Nats;
        metrics[Bound + "standard_error"] = bound.StandardError;
        metrics[Bound + "bits_per_dim"] = bound.BitsPerDimension(recipe.Model.Likelihood, model.Image);
        metrics[Bound + "draws"] = bound.Draws;
        metrics[Bound + "images"] = bound.Images;

        void Progress(int done)
        {
            if (DateTime.UtcNow < next) return;
            next = DateTime.UtcNow.AddSeconds(15);
            options.Log?.Invoke($"  {Plural.Of(done, "image")}");
        }
    }

    /// <summary>How sharp samples are and, where labels condition them, how many a classifier reads as the label they were asked
    /// to have.</summary>
    static void AddSamples(
        Dictionary<string, double> metrics, Vae model, DataSplit data, ulong seed, EvaluationOptions options,
        CancellationToken cancellation)
    {
        if (model.Prior == Prior.None) return;
        var asked = model.Classes == 0
            ? null
            : Enumerable.Range(0, Samples * 4).Select(i => i % data.Train.LabelNames.Count).ToArray();
        var count = asked?.Length ?? (model is IAutoregressive ? SlowSamples : Samples);
        var images = ModelPictures.Draw(model, count, asked, seed, cancellation: cancellation);
        metrics["sharpness_samples"] = images.Average(ImageTraits.VarianceOfLaplacian);
        if (asked is null) return;

        var learners = Some(data.Train, ClassifierImages);
        options.Log?.Invoke($"teaching a classifier labels on {learners.Count:N0} training images, to read samples with");
        var classifier = Classifier.OfImages(model.Parameters.Backend, model.Image, data.Train.LabelNames.Count);
        classifier.Fit(Values(learners), learners.Labels!, ClassifierEpochs, ClassifierRate, cancellation);
        metrics["classifier_accuracy"] = classifier.Accuracy(Values(data.Test), data.Test.Labels!);
        metrics["samples_read_as_asked"] =
            classifier.Accuracy([.. images.SelectMany(image => image.Pixels, (_, pixel) => pixel / 255f)], asked);

        static float[] Values(ImageDataset images)
        {
            var values = new float[images.Count * images.Shape.Size];
            for (var i = 0; i < images.Count; i++)
                for (var p = 0; p < images.Shape.Size; p++) values[i * images.Shape.Size + p] = images.Pixels(i)[p] / 255f;
            return values;
        }
    }

    /// <summary>Images from all over the set.</summary>
    internal static ImageDataset Some(ImageDataset images, int most) => images.Count <= most
        ? images
        : images.Select([.. Enumerable.Range(0, most).Select(i => (int)((long)i * images.Count / most))]);
}
