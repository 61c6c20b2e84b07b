using System.Globalization;

namespace VaeFunctions.Training;

/// <summary>A line of metrics.csv. Losses are per image, in nats for Bernoulli and squared units for squared errors.</summary>
public sealed record EpochMetrics(int Epoch, LossSums Train, LossSums Test, double ImagesPerSecond, double Seconds)
{
    public const string Header =
        "epoch,train_loss,train_reconstruction,train_kl,test_loss,test_reconstruction,test_kl,images_per_second,seconds,kl_weight,learning_rate,skipped_steps,perplexity";

    /// <summary>The KL term's weight in the epoch's last step.</summary>
    public double KlWeight { get; init; } = 1;

    /// <summary>The learning rate in the epoch's last step.</summary>
    public double LearningRate { get; init; }

    /// <summary>Steps not taken because the loss or a gradient was no finite number.</summary>
    public int SkippedSteps { get; init; }

    public string ToCsv() => string.Create(CultureInfo.InvariantCulture,
        $"{Epoch},{Train.Loss:F4},{Train.MeanReconstruction:F4},{Train.MeanKl:F4},{Test.Loss:F4},{Test.MeanReconstruction:F4},{Test.MeanKl:F4},{ImagesPerSecond:F1},{Seconds:F2},{KlWeight:G4},{LearningRate:G4},{SkippedSteps},{Test.Perplexity:F1}");

    public static string ToCsv(IEnumerable<EpochMetrics> history) =>
        string.Join('\n', [Header, .. history.Select(metrics => metrics.ToCsv())]) + "\n";
}

/// <summary>What is minimised, its two terms apart, summed over images in double precision, and how many images that were.</summary>
public sealed record LossSums(double Reconstruction = 0, double Kl = 0, long Images = 0)
{
    /// <summary>What the terms count in the loss; <see cref="Objective.Measure"/> says.</summary>
    public double ReconstructionWeight { get; init; } = 1;

    public double KlWeight { get; init; } = 1;

    /// <summary>The importance-weighted bound of −log p(x), where that is minimised in place of the terms' sum.</summary>
    public double? Bound { get; init; }

    /// <summary>How many codes of a codebook are in use, as the exponential of their usage's entropy; null where there is no codebook.</summary>
    public double? Perplexity { get; init; }

    /// <summary>The codes that any image took; null where there is no codebook.</summary>
    public int? CodesUsed { get; init; }

    public double MeanReconstruction => Reconstruction / Images;

    public double MeanKl => Kl / Images;

    /// <summary>The weighted sum of both terms, or the bound, per image.</summary>
    public double Loss => (Bound ?? Reconstruction * ReconstructionWeight + Kl * KlWeight) / Images;

    /// <summary>Those of more images, measured in the same way.</summary>
    public LossSums Plus(LossSums more) => more with
    {
        Reconstruction = Reconstruction + more.Reconstruction,
        Kl = Kl + more.Kl,
        Bound = more.Bound is { } bound ? (Bound ?? 0) + bound : null,
        Images = Images + more.Images,
    };
}
