using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>What there is to ask: the models, what serves, and what served before.</summary>
public sealed class ModelsFunctions(ModelRegistry registry, ModelProvider models)
{
    [Function("Models")]
    [Describes("List the models that serve.")]
    public async Task<Answer<ModelsAnswer>> List(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "models")] HttpRequest request, CancellationToken cancellation)
    {
        var lines = await Task.WhenAll(
            (await registry.ListModelsAsync(cancellation)).Select(model => LineAsync(model, cancellation)));
        return new ModelsAnswer([.. lines.OfType<ModelLine>()]);
    }

    [Function("Model")]
    [Describes("Show a model with its manifest.")]
    public async Task<Answer<ModelAnswer>> Show(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "models/{model}")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        var (current, damage) = await CurrentAsync(model, cancellation);
        if (current is null && damage is null)
            throw await models.UnknownAsync(model, cancellation);
        // What is damaged in the storage is the refusal; what serves goes on serving, with the manifest it was loaded with.
        var (manifest, unreadable) = current is null ? (null, damage) : await TryReadManifestAsync(model, current, cancellation);
        var state = models.States.FirstOrDefault(state => state.Model == model);
        return (manifest ?? models.ManifestOf(model)) is { } shown
            ? new ModelAnswer(model, current?.Version, state?.Version, unreadable ?? state?.Refusal, shown)
            : throw new ModelUnavailableException(unreadable!);
    }

    [Function("Versions")]
    [Describes("List the versions of a model, newest first.")]
    public async Task<Answer<VersionsAnswer>> Versions(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "models/{model}/versions")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        var (current, damage) = await CurrentAsync(model, cancellation);
        var versions = await registry.ListVersionsAsync(model, cancellation);
        if (current is null && damage is null && versions.Count == 0)
            throw await models.UnknownAsync(model, cancellation);
        return new VersionsAnswer(model, current?.Version, versions);
    }

    /// <summary>A model that serves, or null. One damaged model must not hide the others: its line says what is wrong.</summary>
    async Task<ModelLine?> LineAsync(string model, CancellationToken cancellation)
    {
        try
        {
            if (await registry.ReadCurrentAsync(model, cancellation) is not { } current)
                return null;
            var manifest = await registry.ReadManifestAsync(model, current, cancellation);
            return new(manifest.Model, manifest.Version, manifest.Kind, manifest.Image, manifest.LatentSize, null);
        }
        catch (RegistryException damaged)
        {
            return new(model, null, null, null, null, damaged.Message);
        }
    }

    async Task<(CurrentPointer? Pointer, string? Damage)> CurrentAsync(string model, CancellationToken cancellation) =>
        ModelRegistry.IsModelName(model)
            ? await registry.TryReadCurrentAsync(model, cancellation)
            : throw await models.UnknownAsync(model, cancellation);

    async Task<(Manifest? Manifest, string? Damage)> TryReadManifestAsync(
        string model, CurrentPointer pointer, CancellationToken cancellation)
    {
        try
        {
            return (await registry.ReadManifestAsync(model, pointer, cancellation), null);
        }
        catch (RegistryException damaged)
        {
            return (null, damaged.Message);
        }
    }
}

/// <summary>The models that serve.</summary>
public sealed record ModelsAnswer(IReadOnlyList<ModelLine> Models);

/// <summary>A model that serves, or what is wrong with it.</summary>
/// <param name="Version">The version that its pointer names; absent, as all that follows, where there is an error.</param>
/// <param name="Kind">The architecture, such as conv-vae.</param>
/// <param name="Image">The pixels that it takes and gives.</param>
/// <param name="Error">Why the model cannot be read.</param>
public sealed record ModelLine(string Model, string? Version, string? Kind, ImageShape? Image, int? LatentSize, string? Error);

/// <summary>A model with its manifest.</summary>
/// <param name="Current">The version that its pointer names; absent where the pointer is damaged.</param>
/// <param name="Serving">The version that serves here; absent before the model is first asked for.</param>
/// <param name="Refusal">Why the version that the pointer names does not serve, or what of it is damaged.</param>
/// <param name="Manifest">That of the version the pointer names or, where it cannot be read, of the one that serves.</param>
public sealed record ModelAnswer(string Model, string? Current, string? Serving, string? Refusal, Manifest Manifest);

/// <summary>The versions of a model, newest first.</summary>
/// <param name="Current">The version that its pointer names.</param>
public sealed record VersionsAnswer(string Model, string? Current, IReadOnlyList<string> Versions);
