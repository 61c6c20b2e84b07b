using VaeFunctions.Data;
using VaeFunctions.Models;
using VaeFunctions.Priors;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Evaluation;

/// <summary>How well a model of one class knows the others for strangers.</summary>
/// <param name="Error">AUROC of the reconstruction error.</param>
/// <param name="Elbo">AUROC of the negative ELBO.</param>
/// <param name="Joint">AUROC of what serving judges by, all together; null in files from before it did.</param>
public sealed record ClassScore(string Label, int TrainingImages, double Error, double Elbo, double? Joint = null);

/// <summary>One-class anomaly detection: a model is trained on each class alone and scores all test images, those of other
/// classes being the anomalies. (Ruff et al. 2018, "Deep one-class classification", §4.2)</summary>
public sealed class AnomalyBenchmark(Recipe recipe, DataSplit data, ITrainingBackend backend)
{
    /// <summary>Latents drawn for each image's ELBO.</summary>
    const int Draws = 16;

    /// <summary>Training images by which a training's progress is judged, since it must not see those it is tested
    /// with.</summary>
    const int Watched = 256;

    /// <summary>What is done, in words.</summary>
    public string Protocol { get; } =
        $"Protocol: one label after the other is taken for ordinary. The model is trained anew for "
        + $"{Plural.Of(recipe.Epochs, "epoch")} on the "
        + $"training images of that label alone (seed {recipe.Seed}) and scores all {data.Test.Count:N0} test images; those of "
        + $"the {data.Test.LabelNames.Count - 1} "
        + "other labels count as anomalies. No test image is seen in training, "
        + $"nothing is chosen by test scores. Scores: the mean squared error of the reconstruction from the posterior's mean, in "
        + $"pixels; −ELBO (reconstruction + KL), the mean of {Draws} draws; the largest of that error, of −log p of the "
        + "code under the prior that fits the training codes best, and of the image's own contrast, sharpness and colour, each "
        + "in steps from the training images' median, on either side. "
        + "AUROC: the probability that an anomaly scores above an ordinary image, equal scores counting half.";

    /// <exception cref="DataException">The images have no labels, or one only.</exception>
    /// <exception cref="RecipeException">The model takes labels.</exception>
    public void Check()
    {
        if (data.Train.Labels is null || data.Train.LabelNames.Count < 2)
            throw new DataException($"{data.Source}: the benchmark takes one label for ordinary and the others for anomalies; "
                + $"the images have {data.Train.LabelNames.Count} labels. Use labelled images, such as idx:PATH.");
        if (recipe.Model.Classes > 0)
            throw new RecipeException($"The model is conditional on {recipe.Model.Classes} labels, which would tell it what is "
                + "strange; choose a recipe without model.classes.");
    }

    /// <summary>Trains on one label and scores all test images; null where the label has no image to train on or to test
    /// with, or where there is no test image of another.</summary>
    public async Task<ClassScore?> RunAsync(int label, CancellationToken cancellation)
    {
        Check();
        var train = data.Train.Select([.. Places(data.Train, label)]);
        if (train.Count == 0 || data.Test.Labels!.Distinct().Count() < 2 || !data.Test.Labels!.Contains(label)) return null;
        var watched = train.Select([.. Enumerable.Range(0, Math.Min(Watched, train.Count))]);
        var split = DataSplit.Of(train, watched, $"{data.Source}, label {data.Train.LabelNames[label]}");
        var learner = new Learner(recipe, recipe.Model.Build(backend, recipe.Seed));
        await new Trainer(recipe, split, learner, new Silence()) { FitPrior = FitPrior }
            .RunAsync(TrainingState.Start, cancellation);
        cancellation.ThrowIfCancellationRequested();
        learner.Finish();
        FitPrior();

        var scores = ImageScores.Of(learner.Model, data.Test, recipe.Seed, Draws, quality: false, cancellation);
        var anomalous = Array.ConvertAll(data.Test.Labels!, other => other != label);
        return new(data.Train.LabelNames[label], train.Count, Statistics.Auroc(scores.Error, anomalous),
            Statistics.Auroc(scores.NegativeElbo, anomalous), Joint());

        LatentDensity? FitPrior() => learner.Model.Density =
            PriorFit.Of(learner.Model, train, recipe.Seed, cancellation: cancellation).Density;

        double Joint()
        {
            var ordinary = ImageScores.Of(learner.Model, train, recipe.Seed, quality: false, cancellation: cancellation);
            return Statistics.Auroc(scores.Joint(ModelEvaluation.Calibrate(ordinary, recipe)), anomalous);
        }
    }

    static IEnumerable<int> Places(ImageDataset images, int label) =>
        Enumerable.Range(0, images.Count).Where(i => images.Labels![i] == label);
}
