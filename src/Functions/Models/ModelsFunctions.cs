using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>What there is to ask: the models, what serves, and what served before.</summary>
public sealed class ModelsFunctions(ModelRegistry registry, ModelProvider models)
{
    [Function("Models")]
    [Describes("List the models that serve.")]
    public async Task<IActionResult> List([HttpTrigger(AuthorizationLevel.Function, "get", Route = "models")] HttpRequest request, CancellationToken cancellation)
    {
        var lines = new List<object>();
        foreach (var model in await registry.ListModelsAsync(cancellation))
        {
            if (await LineAsync(model, cancellation) is { } line)
                lines.Add(line);
        }
        return Answers.Json(new { models = lines });
    }

    /// <summary>One damaged model must not hide the others: its line says what is wrong.</summary>
    async Task<object?> LineAsync(string model, CancellationToken cancellation)
    {
        try
        {
            return await registry.ReadCurrentAsync(model, cancellation) is { } current
                ? Line(await registry.ReadManifestAsync(model, current.Version, cancellation))
                : null;
        }
        catch (RegistryException damaged)
        {
            return new { model, error = damaged.Message };
        }
    }

    [Function("Model")]
    [Describes("Show a model with its manifest.")]
    public async Task<IActionResult> Show(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "models/{model}")] HttpRequest request, string model, CancellationToken cancellation)
    {
        var current = await CurrentAsync(model, cancellation) ?? throw await models.UnknownAsync(model, cancellation);
        var state = models.States.FirstOrDefault(state => state.Model == model);
        return Answers.Json(new { model, current = current.Version, serving = state?.Version, state?.Refusal, manifest = await registry.ReadManifestAsync(model, current.Version, cancellation) });
    }

    [Function("Versions")]
    [Describes("List the versions of a model, newest first.")]
    public async Task<IActionResult> Versions(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "models/{model}/versions")] HttpRequest request, string model, CancellationToken cancellation)
    {
        var current = await CurrentAsync(model, cancellation);
        var versions = await registry.ListVersionsAsync(model, cancellation);
        if (current is null && versions.Count == 0)
            throw await models.UnknownAsync(model, cancellation);
        return Answers.Json(new { model, current = current?.Version, versions });
    }

    async Task<CurrentPointer?> CurrentAsync(string model, CancellationToken cancellation) => ModelRegistry.IsModelName(model)
        ? await registry.ReadCurrentAsync(model, cancellation)
        : throw await models.UnknownAsync(model, cancellation);

    static object Line(Manifest manifest) => new { manifest.Model, manifest.Version, manifest.Kind, manifest.Image, manifest.LatentSize };
}
