using System.Text.Json;
using System.Text.Json.Serialization;
using VaeFunctions.Registry;

namespace VaeFunctions.Measurement;

/// <summary>What was measured of a published version later on: <c>evaluations/{model}/{version}.json</c>, where the last evaluation stays.</summary>
/// <param name="Source">The images it was measured on.</param>
/// <param name="Fingerprint">Of those images; another one than the manifest's means that the figures do not compare.</param>
public sealed record EvaluationFile(
    string Model, string Version, string Source, string Fingerprint, IReadOnlyDictionary<string, double> Metrics, IReadOnlyList<double> KlPerLatent, IReadOnlyList<AttributeScore> Attributes)
{
    const long MaxBytes = 64 << 20;

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        IgnoreReadOnlyProperties = true,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, // a model that gives NaN is still described
    };

    public static string PathOf(string model, string version) => $"evaluations/{model}/{version}.json";

    public Task<string> WriteAsync(IBlobStore store, CancellationToken cancellation = default) =>
        store.WriteAsync(PathOf(Model, Version), new(JsonSerializer.SerializeToUtf8Bytes(this, Json)), default, cancellation);

    /// <summary>Null where the version was not evaluated since it was published.</summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public static async Task<EvaluationFile?> TryReadAsync(IBlobStore store, string model, string version, CancellationToken cancellation = default)
    {
        if (await store.TryReadAsync(PathOf(model, version), MaxBytes, cancellation) is not { } blob) return null;
        try
        {
            return JsonSerializer.Deserialize<EvaluationFile>(blob.Content, Json);
        }
        catch (JsonException e)
        {
            throw new ModelFormatException($"{PathOf(model, version)} is no evaluation: {e.Message} ./vae evaluate {model} writes it anew.", e);
        }
    }
}
