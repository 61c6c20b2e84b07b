namespace VaeFunctions.Training;

/// <summary>What is reported of an epoch. Losses are per image, in nats for Bernoulli and squared units for squared
/// errors.</summary>
public sealed record EpochMetrics(int Epoch, Measure Train, Measure Test, double ImagesPerSecond, double Seconds)
{
    /// <summary>The KL term's weight in the epoch's last step.</summary>
    public double KlWeight { get; init; } = 1;

    /// <summary>The learning rate in the epoch's last step.</summary>
    public double LearningRate { get; init; }

    /// <summary>Steps not taken because the loss or a gradient was no finite number.</summary>
    public int SkippedSteps { get; init; }
}
