using System.Globalization;

namespace VaeFunctions.Training;

/// <summary>A line of metrics.csv. Losses are per image, in nats for Bernoulli and squared units for squared errors.</summary>
public sealed record EpochMetrics(int Epoch, LossSums Train, LossSums Test, double ImagesPerSecond, double Seconds)
{
    public const string Header =
        "epoch,train_loss,train_reconstruction,train_kl,test_loss,test_reconstruction,test_kl,images_per_second,seconds";

    public string ToCsv() => string.Create(CultureInfo.InvariantCulture,
        $"{Epoch},{Train.Loss:F4},{Train.MeanReconstruction:F4},{Train.MeanKl:F4},{Test.Loss:F4},{Test.MeanReconstruction:F4},{Test.MeanKl:F4},{ImagesPerSecond:F1},{Seconds:F2}");

    public static string ToCsv(IEnumerable<EpochMetrics> history) =>
        string.Join('\n', [Header, .. history.Select(metrics => metrics.ToCsv())]) + "\n";
}

/// <summary>The two terms of the negative ELBO, summed over images in double precision, and how many images that were.</summary>
public sealed record LossSums(double Reconstruction = 0, double Kl = 0, long Images = 0)
{
    public double MeanReconstruction => Reconstruction / Images;

    public double MeanKl => Kl / Images;

    /// <summary>Reconstruction + KL per image.</summary>
    public double Loss => (Reconstruction + Kl) / Images;

    public LossSums Plus(double reconstruction, double kl, int images) => new(Reconstruction + reconstruction, Kl + kl, Images + images);
}
