using VaeFunctions.LocalCloud;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;

namespace VaeFunctions.Bench.Serving;

/// <summary>The one model that a benchmark serves.</summary>
static class PublishedModel
{
    /// <summary>Whether runs have it.</summary>
    public static async Task<bool> ExistsAsync(string model, string runs, CancellationToken cancellation) =>
        ModelRegistry.IsModelName(model)
        && await new ModelRegistry(new FolderBlobStore(runs)).ReadCurrentAsync(model, cancellation) is not null;

    /// <summary>Copies it, and no other, out of runs.</summary>
    /// <exception cref="LocalCloudException">It asks for labels.</exception>
    public static async Task<Manifest> CopyAsync(string model, string runs, IBlobStore to, CancellationToken cancellation)
    {
        var (manifest, _) = await new Publisher(new ModelRegistry(to), new())
            .CopyAsync(new(new FolderBlobStore(runs)), model, cancellation: cancellation);
        return manifest.Conditional
            ? throw LocalCloudException.WrongInput(
                $"{model} asks for labels, which this benchmark does not send; take a model without.")
            : manifest;
    }
}
