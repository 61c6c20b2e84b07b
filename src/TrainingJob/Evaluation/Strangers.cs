using VaeFunctions.Data;
using VaeFunctions.Latent;
using VaeFunctions.Models;
using VaeFunctions.Training;

namespace VaeFunctions.Evaluation;

/// <summary>How well a model knows images of another kind for strangers, beside its own test images.</summary>
/// <param name="Images">How many strangers there were.</param>
/// <param name="Auroc">Of the reconstruction error, of −log p of the code where anything says which codes are likely, and of what
/// is strangest about an image, by which serving judges; here beside these test images.</param>
public sealed record Strangers(int Images, IReadOnlyDictionary<string, double> Auroc)
{
    /// <summary>Strangers that are looked at, at most, from all over their set.</summary>
    const int Most = 10_000;

    /// <param name="ordinary">Images of the model's own kind that it was not trained on.</param>
    /// <param name="others">All of these count as strange, whatever part of their set they are in.</param>
    /// <param name="recipe">The model's.</param>
    public static Strangers Of(
        Vae model, ImageDataset ordinary, DataSplit others, Recipe recipe, CancellationToken cancellation = default)
    {
        var usual = ScoresOf(ordinary);
        ImageScores[] strange = [.. new[] { others.Train, others.Test }.Where(images => images.Count > 0)
            .Select(images => ScoresOf(ModelEvaluation.Some(images, Most / 2)))];
        var calibration = ModelEvaluation.Calibrate(usual, recipe);
        var auroc = new Dictionary<string, double> { [Anomaly.Error] = AurocOf(scores => scores.Error) };
        if (calibration.Codes is not null) auroc[Anomaly.Code] = AurocOf(scores => scores.Surprise!);
        auroc["joint"] = AurocOf(scores => scores.Joint(calibration));
        return new(strange.Sum(scores => scores.Error.Length), auroc);

        ImageScores ScoresOf(ImageDataset images) =>
            ImageScores.Of(model, images, recipe.Seed, quality: false, cancellation: cancellation);

        double AurocOf(Func<ImageScores, IEnumerable<double>> score)
        {
            double[] own = [.. score(usual)], theirs = [.. strange.SelectMany(score)];
            return Statistics.Auroc([.. own, .. theirs], [.. own.Select(_ => false), .. theirs.Select(_ => true)]);
        }
    }
}
