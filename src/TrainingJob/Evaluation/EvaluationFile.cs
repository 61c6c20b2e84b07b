using VaeFunctions.Registry;

namespace VaeFunctions.Evaluation;

/// <summary>What was measured of a published version later on: <c>evaluations/{model}/{version}.json</c>, where the last
/// evaluation stays, with the dearest bound.</summary>
/// <param name="Source">The images it was measured on.</param>
/// <param name="Fingerprint">Of those images; another one than the manifest's means that the figures do not compare.</param>
public sealed record EvaluationFile(
    string Model, string Version, string Source, string Fingerprint, IReadOnlyDictionary<string, double> Metrics,
    IReadOnlyList<double> KlPerLatent, IReadOnlyList<AttributeScore> Attributes)
{
    public static string PathOf(string model, string version) => $"evaluations/{model}/{version}.json";

    /// <summary>An earlier evaluation's bound is kept where that is the dearer one: as many draws and images at least, on the
    /// same test images.</summary>
    /// <returns>What was written.</returns>
    public async Task<EvaluationFile> WriteAsync(IBlobStore store, CancellationToken cancellation = default)
    {
        var written = KeepBoundOf(await ReadEarlierAsync(store, cancellation));
        await store.WriteAsync(PathOf(Model, Version), EvaluationJson.Write(written), default, cancellation);
        return written;
    }

    EvaluationFile KeepBoundOf(EvaluationFile? earlier)
    {
        if (earlier is null || earlier.Fingerprint != Fingerprint) return this;
        var (draws, images) = (Excess("draws"), Excess("images"));
        if (draws < 0 || images < 0 || draws + images == 0) return this;
        var metrics = new Dictionary<string, double>(Metrics);
        var bounds = earlier.Metrics.Where(metric => metric.Key.StartsWith(ModelEvaluation.Bound, StringComparison.Ordinal));
        foreach (var (metric, value) in bounds)
            metrics[metric] = value;
        return this with { Metrics = metrics };

        double Excess(string what) =>
            earlier.Metrics.GetValueOrDefault(ModelEvaluation.Bound + what)
            - Metrics.GetValueOrDefault(ModelEvaluation.Bound + what);
    }

    async Task<EvaluationFile?> ReadEarlierAsync(IBlobStore store, CancellationToken cancellation)
    {
        try
        {
            return await TryReadAsync(store, Model, Version, cancellation);
        }
        catch (ModelFormatException)
        {
            return null; // a damaged file is what this one replaces
        }
    }

    /// <summary>Null where the version was not evaluated since it was published.</summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public static Task<EvaluationFile?> TryReadAsync(
        IBlobStore store, string model, string version, CancellationToken cancellation = default) =>
        EvaluationJson.TryReadAsync<EvaluationFile>(store, PathOf(model, version), $"./vae evaluate {model}", cancellation);
}
