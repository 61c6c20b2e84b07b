using System.Text.Json;
using System.Text.Json.Serialization;
using VaeFunctions.Registry;

namespace VaeFunctions.Evaluation;

/// <summary>The last result of a recipe's <see cref="AnomalyBenchmark"/>:
/// <c>evaluations/{recipe}/anomaly-benchmark.json</c>.</summary>
public sealed record AnomalyBenchmarkFile(
    string Recipe, string Source, string Fingerprint, string Protocol, double Minutes, IReadOnlyList<ClassScore> Labels)
{
    /// <summary>The mean AUROC of the reconstruction error.</summary>
    [JsonIgnore]
    public double Error => Labels.Select(label => label.Error).DefaultIfEmpty(double.NaN).Average();

    /// <summary>The mean AUROC of the negative ELBO.</summary>
    [JsonIgnore]
    public double Elbo => Labels.Select(label => label.Elbo).DefaultIfEmpty(double.NaN).Average();

    /// <summary>The mean AUROC of what serving judges by; null where a label has none.</summary>
    [JsonIgnore]
    public double? Joint =>
        Labels.Count > 0 && Labels.All(label => label.Joint is not null) ? Labels.Average(label => label.Joint) : null;

    public static string PathOf(string recipe) => $"evaluations/{recipe}/anomaly-benchmark.json";

    public Task<string> WriteAsync(IBlobStore store, CancellationToken cancellation = default) =>
        store.WriteAsync(PathOf(Recipe), EvaluationJson.Write(this), default, cancellation);

    /// <summary>Null where the benchmark was not run.</summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public static Task<AnomalyBenchmarkFile?> TryReadAsync(
        IBlobStore store, string recipe, CancellationToken cancellation = default) =>
        EvaluationJson.TryReadAsync<AnomalyBenchmarkFile>(
            store, PathOf(recipe), $"./vae anomaly-benchmark {recipe}", cancellation);
}

/// <summary>Evaluations as JSON; reading is strict.</summary>
static class EvaluationJson
{
    const long MaxBytes = 64 << 20;

    static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        IgnoreReadOnlyProperties = true,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, // a model that gives NaN is still described
    };

    public static BinaryData Write<T>(T value) => new(JsonSerializer.SerializeToUtf8Bytes(value, Options));

    public static T? Read<T>(BinaryData json) => JsonSerializer.Deserialize<T>(json, Options);

    /// <param name="remedy">The command that writes the file.</param>
    public static async Task<T?> TryReadAsync<T>(IBlobStore store, string path, string remedy, CancellationToken cancellation)
        where T : class
    {
        if (await store.TryReadAsync(path, MaxBytes, cancellation) is not { } blob) return null;
        try
        {
            return Read<T>(blob.Content);
        }
        catch (JsonException e)
        {
            throw new ModelFormatException($"{path} is no evaluation of this build: {e.Message} {remedy} writes it anew.", e);
        }
    }
}
