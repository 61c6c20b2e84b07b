using System.CommandLine;
using Azure.Identity;
using VaeFunctions.Data;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Commands;

/// <summary>What several commands have in common.</summary>
static class CommonOptions
{
    /// <summary>The word that stands for the storage account of the settings instead of a folder.</summary>
    const string Blob = "blob";

    /// <summary>Where everything goes unless told otherwise.</summary>
    public const string DefaultFolder = "runs";

    public static Option<string> Store(string name = "--out") => new(name, "--store")
    {
        Description = $"Where models and checkpoints are: a folder, or '{Blob}' for the storage account of the setting VaeStorage (or VaeStorage__blobServiceUri)",
        DefaultValueFactory = _ => DefaultFolder,
    };

    public static Option<string?> Data() => new("--data")
    {
        Description = $"Where the images come from: {DataSources.Kinds}",
    };

    public static Option<bool> Resize() => new("--resize") { Description = "Crop and resize images of other sizes to the model's" };

    public static Option<int> Threads() => new("--threads")
    {
        Description = "Threads that compute on a CPU; 0 is one a processor. On cpu results do not depend on it",
        Validators = { result => { if (result.GetValueOrDefault<int>() is < 0 or > 1024) result.AddError("--threads must be from 0 to 1024."); } },
    };

    public static Option<string> Device() => new("--device")
    {
        Description = $"Where to compute: {Devices.Kinds}",
        DefaultValueFactory = _ => Devices.Auto,
    };

    public static Option<bool> Tf32() => new("--tf32") { Description = "Let a GPU round factors to TensorFloat-32: faster, with 10 bits of mantissa. CPUs do not heed it" };

    public static Option<int> Count(string name, int usual, int most, string description) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => usual,
        Validators = { result => { if (result.GetValueOrDefault<int>() is var value && (value < 1 || value > most)) result.AddError($"{name} must be from 1 to {most}."); } },
    };

    public static Option<bool> Force() => new("--force") { Description = "Let the new version serve even if it is worse, which is recorded" };

    /// <exception cref="StorageException">The setting is missing or makes no sense.</exception>
    public static IBlobStore OpenStore(string where)
    {
        return where == Blob ? BlobStores.FromSettings(BlobStores.FromEnvironment, () => new DefaultAzureCredential()) : new FolderBlobStore(where);
    }

    /// <summary>The images that a recipe's model takes.</summary>
    public static DataOptions ImagesFor(Recipe recipe, string source) => new()
    {
        Shape = recipe.Model.Image,
        Resize = recipe.Resize,
        Seed = recipe.Seed,
        Binarize = recipe.Binarize,
        Blobs = DataStore(source),
    };

    /// <exception cref="RegistryException">No version of the model serves; says what there is.</exception>
    public static async Task<string> ServingVersionAsync(ModelRegistry registry, string model, CancellationToken cancellation)
    {
        if (await registry.ReadCurrentAsync(model, cancellation) is { } current) return current.Version;
        var versions = await registry.ListVersionsAsync(model, cancellation);
        throw new RegistryException(versions.Count > 0
            ? $"No version of {model} serves in {registry.Store.Location}; name one with --version: {string.Join(", ", versions)}."
            : $"There is no model {model} in {registry.Store.Location}; there are: {string.Join(", ", await registry.ListModelsAsync(cancellation))}.");
    }

    /// <summary>The storage that <c>blob:</c> data come from: opened only when it is asked for.</summary>
    public static IBlobStore? DataStore(string source) => source.StartsWith("blob:", StringComparison.Ordinal) ? OpenStore(Blob) : null;
}
