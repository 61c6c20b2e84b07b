using VaeFunctions.Data;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Sessions;

/// <summary>The storage that a word on the command line means.</summary>
public static class Stores
{
    /// <summary>The word that stands for the storage account of the settings instead of a folder.</summary>
    public const string Blob = "blob";

    /// <summary>Where everything goes unless told otherwise.</summary>
    public const string DefaultFolder = "runs";

    /// <param name="where">A folder, or <see cref="Blob"/>.</param>
    /// <exception cref="StorageException">The setting is missing or makes no sense.</exception>
    public static IBlobStore Open(string where) => where == Blob ? OfSettings() : new FolderBlobStore(where);

    /// <summary>How a recipe's images are brought into its shape, and where <c>blob:</c> images come from.</summary>
    /// <param name="blobs">The storage of <c>blob:</c> sources; the settings' unless given, which is opened only for such a
    /// source.</param>
    public static DataOptions ImagesFor(Recipe recipe, string source, IBlobStore? blobs = null) => new()
    {
        Shape = recipe.Model.Image,
        Fit = recipe.Fit,
        Seed = recipe.Seed,
        Binarize = recipe.Binarize,
        Blobs = source.StartsWith("blob:", StringComparison.Ordinal) ? blobs ?? OfSettings() : null,
    };

    static IBlobStore OfSettings() => BlobStores.FromSettings(BlobStores.Environment);
}
