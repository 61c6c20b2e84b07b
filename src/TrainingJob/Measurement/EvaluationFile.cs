using VaeFunctions.Registry;

namespace VaeFunctions.Measurement;

/// <summary>What was measured of a published version later on: <c>evaluations/{model}/{version}.json</c>, where the last evaluation stays.</summary>
/// <param name="Source">The images it was measured on.</param>
/// <param name="Fingerprint">Of those images; another one than the manifest's means that the figures do not compare.</param>
public sealed record EvaluationFile(
    string Model, string Version, string Source, string Fingerprint, IReadOnlyDictionary<string, double> Metrics, IReadOnlyList<double> KlPerLatent, IReadOnlyList<AttributeScore> Attributes)
{
    public static string PathOf(string model, string version) => $"evaluations/{model}/{version}.json";

    public Task<string> WriteAsync(IBlobStore store, CancellationToken cancellation = default) =>
        store.WriteAsync(PathOf(Model, Version), EvaluationJson.Write(this), default, cancellation);

    /// <summary>Null where the version was not evaluated since it was published.</summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public static Task<EvaluationFile?> TryReadAsync(IBlobStore store, string model, string version, CancellationToken cancellation = default) =>
        EvaluationJson.TryReadAsync<EvaluationFile>(store, PathOf(model, version), $"./vae evaluate {model}", cancellation);
}
