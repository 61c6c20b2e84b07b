using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Evaluation;

/// <summary>All figures of the version of a model that serves: those of its manifest, of its epochs, of its last evaluation on
/// the same images, and of the anomaly benchmark of its recipe.</summary>
public sealed class MeasuredModel
{
    readonly Dictionary<string, double> metrics = [];
    readonly IReadOnlyList<MetricsLine> epochs;

    MeasuredModel(string name, Manifest? manifest, EvaluationFile? evaluation, AnomalyBenchmarkFile? anomalies,
        IReadOnlyList<MetricsLine> epochs)
    {
        (Name, Manifest, Anomalies, this.epochs) = (name, manifest, anomalies, epochs);
        foreach (var (metric, value) in manifest?.Metrics ?? new Dictionary<string, double>()) metrics[metric] = value;
        if (evaluation is not null && evaluation.Fingerprint == manifest?.Data.Fingerprint)
        {
            foreach (var (metric, value) in evaluation.Metrics) metrics[metric] = value;
            Attributes = evaluation.Attributes;
        }
        if (anomalies is not null)
            (metrics["anomaly_error"], metrics["anomaly_elbo"], metrics["anomaly_best"]) =
                (anomalies.Error, anomalies.Elbo, Math.Max(anomalies.Error, anomalies.Elbo));
    }

    public string Name { get; }

    /// <summary>Null where no version serves.</summary>
    public Manifest? Manifest { get; }

    public AnomalyBenchmarkFile? Anomalies { get; }

    public IReadOnlyList<AttributeScore> Attributes { get; } = [];

    /// <summary>How long its training took; null where there is none.</summary>
    public double? Minutes => epochs.Count > 0 ? epochs.Sum(epoch => epoch.Seconds) / 60 : Anomalies?.Minutes;

    /// <summary>How many images the importance-weighted bound is the mean of; 0 where it was not measured.</summary>
    public int BoundImages => (int)metrics.GetValueOrDefault(ModelEvaluation.Bound + "images");

    /// <summary>The options of the training that are not the recipe's own.</summary>
    public string TrainingOptions =>
        Manifest is not null && RecipeBook.Names.Contains(Name) && Manifest.Recipe.TryGetProperty("epochs", out var trained)
            && trained.GetInt32() is var count && count != RecipeBook.Load(Name).Recipe.Epochs ? $" --epochs {count}" : "";

    /// <summary>Null where the figure was not measured, or not with as many draws as the claim asks for.</summary>
    public double? Figure(Claim claim)
    {
        if (claim.Draws > metrics.GetValueOrDefault(ModelEvaluation.Bound + "draws")) return null;
        if (claim.Epoch is { } epoch) return epoch <= epochs.Count ? epochs[epoch - 1].Figure(claim.Metric) : null;
        return metrics.TryGetValue(claim.Metric, out var figure) ? figure : null;
    }

    public static async Task<MeasuredModel> ReadAsync(
        ModelRegistry registry, string name, CancellationToken cancellation = default)
    {
        var anomalies = await AnomalyBenchmarkFile.TryReadAsync(registry.Store, name, cancellation);
        if (await registry.ReadCurrentAsync(name, cancellation) is not { } current) return new(name, null, null, anomalies, []);
        var manifest = await registry.ReadManifestAsync(name, current, cancellation);
        var evaluation = await EvaluationFile.TryReadAsync(registry.Store, name, current.Version, cancellation);
        var epochs = MetricsFile.Read((await registry.ReadFileAsync(manifest, MetricsFile.Name, cancellation)).ToString());
        return new(name, manifest, evaluation, anomalies, epochs);
    }
}
