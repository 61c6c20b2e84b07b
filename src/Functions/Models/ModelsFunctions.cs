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
        var lines = new List<ModelLine>();
        foreach (var model in await registry.ListModelsAsync(cancellation))
        {
            if (await LineAsync(model, cancellation) is { } line)
                lines.Add(line);
        }
        return new ModelsAnswer(lines);
    }

    [Function("Model")]
    [Describes("Show a model with its manifest.")]
    public async Task<Answer<ModelAnswer>> Show(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "models/{model}")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        var current = await CurrentAsync(model, cancellation) ?? throw await models.UnknownAsync(model, cancellation);
        var state = models.States.FirstOrDefault(state => state.Model == model);
        var manifest = await registry.ReadManifestAsync(model, current.Version, cancellation);
        return new ModelAnswer(model, current.Version, state?.Version, state?.Refusal, manifest);
    }

    [Function("Versions")]
    [Describes("List the versions of a model, newest first.")]
    public async Task<Answer<VersionsAnswer>> Versions(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "models/{model}/versions")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        var current = await CurrentAsync(model, cancellation);
        var versions = await registry.ListVersionsAsync(model, cancellation);
        if (current is null && versions.Count == 0)
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
            var manifest = await registry.ReadManifestAsync(model, current.Version, cancellation);
            return new(manifest.Model, manifest.Version, manifest.Kind, manifest.Image, manifest.LatentSize, null);
        }
        catch (RegistryException damaged)
        {
            return new(model, null, null, null, null, damaged.Message);
        }
    }

    async Task<CurrentPointer?> CurrentAsync(string model, CancellationToken cancellation) => ModelRegistry.IsModelName(model)
        ? await registry.ReadCurrentAsync(model, cancellation)
        : throw await models.UnknownAsync(model, cancellation);
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
/// <param name="Current">The version that its pointer names.</param>
/// <param name="Serving">The version that serves here; absent before the model is first asked for.</param>
/// <param name="Refusal">Why the version that the pointer names does not serve.</param>
public sealed record ModelAnswer(string Model, string Current, string? Serving, string? Refusal, Manifest Manifest);

/// <summary>The versions of a model, newest first.</summary>
/// <param name="Current">The version that its pointer names.</param>
public sealed record VersionsAnswer(string Model, string? Current, IReadOnlyList<string> Versions);
