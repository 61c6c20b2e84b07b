using System.Globalization;
using VaeFunctions.Registry;

namespace VaeFunctions.Training;

/// <summary>A line of metrics.csv: an epoch's figures, as they were rounded.</summary>
/// <param name="Perplexity">Of the codes that test images take; null where there is no codebook.</param>
/// <param name="TrainPerceptual">The perceptual distance of reconstructions; null where the objective has no weight for
/// it.</param>
public sealed record MetricsLine(
    int Epoch,
    double TrainLoss,
    double TrainReconstruction,
    double TrainKl,
    double TestLoss,
    double TestReconstruction,
    double TestKl,
    double ImagesPerSecond,
    double Seconds,
    double? KlWeight,
    double? LearningRate,
    int? SkippedSteps,
    double? Perplexity,
    double? TrainPerceptual,
    double? TestPerceptual)
{
    /// <summary>The figure of a column, by its name in the header; null where there is no such column, or no figure in
    /// it.</summary>
    public double? Figure(string column) => MetricsFile.Columns.FirstOrDefault(known => known.Name == column).Value?.Invoke(this);

    internal static MetricsLine Of(EpochMetrics epoch) => new(
        epoch.Epoch, epoch.Train.Loss, epoch.Train.MeanReconstruction, epoch.Train.MeanKl, epoch.Test.Loss,
        epoch.Test.MeanReconstruction,
        epoch.Test.MeanKl, epoch.ImagesPerSecond, epoch.Seconds, epoch.KlWeight, epoch.LearningRate, epoch.SkippedSteps,
        epoch.Test.Perplexity, epoch.Train.MeanPerceptual, epoch.Test.MeanPerceptual);
}

/// <summary>metrics.csv of a run or a version: a header, then a line for each epoch.</summary>
public static class MetricsFile
{
    public const string Name = "metrics.csv";

    /// <summary>The columns in their order, with the format of their numbers.</summary>
    internal static readonly (string Name, string Format, Func<MetricsLine, double?> Value)[] Columns =
    [
        ("epoch", "F0", line => line.Epoch),
        ("train_loss", "F4", line => line.TrainLoss),
        ("train_reconstruction", "F4", line => line.TrainReconstruction),
        ("train_kl", "F4", line => line.TrainKl),
        ("test_loss", "F4", line => line.TestLoss),
        ("test_reconstruction", "F4", line => line.TestReconstruction),
        ("test_kl", "F4", line => line.TestKl),
        ("images_per_second", "F1", line => line.ImagesPerSecond),
        ("seconds", "F2", line => line.Seconds),
        ("kl_weight", "G4", line => line.KlWeight),
        ("learning_rate", "G4", line => line.LearningRate),
        ("skipped_steps", "F0", line => line.SkippedSteps),
        ("perplexity", "F1", line => line.Perplexity),
        ("train_perceptual", "F4", line => line.TrainPerceptual),
        ("test_perceptual", "F4", line => line.TestPerceptual),
    ];

    /// <summary>The names of the columns.</summary>
    public static IEnumerable<string> Header => Columns.Select(column => column.Name);

    /// <summary>An epoch's cells, in the order of the header; empty where there is no figure.</summary>
    public static IEnumerable<string> Cells(EpochMetrics epoch)
    {
        var line = MetricsLine.Of(epoch);
        return Columns.Select(column => column.Value(line)?.ToString(column.Format, CultureInfo.InvariantCulture) ?? "");
    }

    public static string Write(IEnumerable<EpochMetrics> history) =>
        string.Join('\n', [string.Join(',', Header), .. history.Select(epoch => string.Join(',', Cells(epoch)))]) + "\n";

    /// <summary>Reads what was written, by this build or by an earlier one, which had fewer columns.</summary>
    /// <exception cref="ModelFormatException">It is no such file; says what is missing.</exception>
    public static IReadOnlyList<MetricsLine> Read(string csv)
    {
        string[][] lines =
            [.. csv.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(line => line.Split(','))];
        if (lines.Length == 0)
            throw new ModelFormatException($"{Name} is empty; a header was expected: {string.Join(',', Header)}.");
        return [.. lines[1..].Select(cells => Line(lines[0].Zip(cells).ToDictionary()))];
    }

    static MetricsLine Line(Dictionary<string, string> cells)
    {
        return new((int)Needed("epoch"), Needed("train_loss"), Needed("train_reconstruction"), Needed("train_kl"),
            Needed("test_loss"),
            Needed("test_reconstruction"), Needed("test_kl"), Needed("images_per_second"), Needed("seconds"),
            Optional("kl_weight"),
            Optional("learning_rate"), (int?)Optional("skipped_steps"), Optional("perplexity"), Optional("train_perceptual"),
            Optional("test_perceptual"));

        double Needed(string column) =>
            Optional(column) ?? throw new ModelFormatException($"{Name} has a line without {column}.");

        double? Optional(string column) =>
            cells.GetValueOrDefault(column) is not { Length: > 0 } cell ? null
            : double.TryParse(cell, CultureInfo.InvariantCulture, out var figure) ? figure
            : throw new ModelFormatException($"{Name}: \"{cell}\" under {column} is no number.");
    }
}
