using System.Globalization;
using System.Text.Json;
using VaeFunctions.Registry;

namespace VaeFunctions.Training;

/// <summary>A training that can go on: one safetensors file with weights, optimizer and, as metadata, recipe and state. One file,
/// so that a crash leaves the old one or the new one, never a mixture.</summary>
public sealed record Checkpoint(
    Recipe Recipe, string Model, string DataSource, string DataFingerprint, TrainingState State, int OptimizerSteps,
    SafetensorsFile Tensors)
{
    /// <summary>Steps that the adversary has taken; 0 before it begins, and where there is none.</summary>
    public int AdversarySteps { get; init; }

    const string FileName = "checkpoint.safetensors";
    static readonly long MaxBytes = Array.MaxLength;

    public static string PathOf(string model, string run, string file = FileName) => $"checkpoints/{model}/{run}/{file}";

    public static async Task SaveAsync(
        IBlobStore store, string run, string modelName, Recipe recipe, string dataSource, string dataFingerprint, Learner learner,
        TrainingState state, WriteCondition condition = default, CancellationToken cancellation = default)
    {
        var content = Safetensors.Write(ParameterFile.ToTensors(learner.State), new Dictionary<string, string>
        {
            ["model"] = modelName,
            ["recipe"] = recipe.ToJson(),
            ["data_source"] = dataSource,
            ["data_fingerprint"] = dataFingerprint,
            ["optimizer_steps"] = learner.Optimizer.Steps.ToString(CultureInfo.InvariantCulture),
            ["adversary_steps"] = (learner.Adversary?.Steps ?? 0).ToString(CultureInfo.InvariantCulture),
            ["state"] = state.ToJson(),
        });
        await store.WriteAsync(PathOf(modelName, run), content, condition, cancellation);
    }

    /// <exception cref="CheckpointException">There is no such checkpoint, or it is damaged.</exception>
    public static async Task<Checkpoint> ReadAsync(
        IBlobStore store, string modelName, string run, CancellationToken cancellation = default)
    {
        var path = PathOf(modelName, run);
        return await store.TryReadAsync(path, MaxBytes, blob => Understand(blob.Content, $"{path} in {store.Location}"),
            cancellation)
            ?? throw new CheckpointException($"There is no checkpoint {path} in {store.Location}.");
    }

    static Checkpoint Understand(BinaryData content, string path)
    {
        try
        {
            var file = Safetensors.Read(content);
            var recipe = Recipe.Parse(Metadata("recipe"), path);
            return new(recipe, Metadata("model"), Metadata("data_source"), Metadata("data_fingerprint"),
                TrainingState.Parse(Metadata("state")), Number(Metadata("optimizer_steps")), file)
            {
                AdversarySteps = recipe.Adversary is null ? 0 : Number(Metadata("adversary_steps")),
            };

            static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

            string Metadata(string key) => file.Metadata.TryGetValue(key, out var value)
                ? value
                : throw new CheckpointException($"It has no \"{key}\" in its metadata: it holds weights, but no training that "
                    + "could go on.");
        }
        catch (Exception e) when (e is CheckpointException or JsonException or RecipeException or FormatException
            or OverflowException)
        {
            throw new CheckpointException($"Checkpoint {path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The newest run of a model, or null where there is none.</summary>
    public static async Task<string?> NewestRunAsync(
        IBlobStore store, string modelName, CancellationToken cancellation = default) =>
        await ListRunsAsync(store, modelName, cancellation) is [var newest, ..] ? newest : null;

    /// <summary>The runs of a model, newest first.</summary>
    public static async Task<IReadOnlyList<string>> ListRunsAsync(
        IBlobStore store, string modelName, CancellationToken cancellation = default) =>
        await store.ListFoldersAsync($"checkpoints/{modelName}/", cancellation)
            .OrderDescending(StringComparer.Ordinal).ToArrayAsync(cancellation);

    /// <summary>Puts weights and optimizer back to where they were.</summary>
    /// <exception cref="CheckpointException">A tensor is missing, left over or misshapen.</exception>
    public void Restore(Learner learner)
    {
        ParameterFile.Load(Tensors, [.. learner.State], learner.Model.Parameters.Backend);
        learner.Optimizer.Steps = OptimizerSteps;
        if (learner.Adversary is { } adversary) adversary.Steps = AdversarySteps;
    }
}
