using Azure.Storage.Queues;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace VaeFunctions.Registry;

/// <summary>Opens the storage that settings name, for programs that have no service container.</summary>
public static class BlobStores
{
    /// <summary>The setting that names the storage, and the section with its other forms; <see cref="StorageClients"/> describes
    /// them.</summary>
    public const string Setting = "VaeStorage";

    /// <summary>The environment variables, whose names have two underscores for a colon, as they are now.</summary>
    public static IConfiguration Environment => new ConfigurationBuilder().AddEnvironmentVariables().Build();

    /// <summary>Whether settings name a storage at all.</summary>
    public static bool IsNamed(IConfiguration settings) =>
        settings[Setting] is { Length: > 0 } || settings[$"{Setting}:{StorageClients.BlobUri}"] is { Length: > 0 };

    /// <summary>Opens the blobs that settings name.</summary>
    /// <exception cref="StorageException">They name no storage.</exception>
    public static IBlobStore FromSettings(IConfiguration settings, StoragePatience? patience = null) =>
        Services(settings, patience).GetRequiredService<IBlobStore>();

    /// <summary>Opens the queues that settings name.</summary>
    /// <exception cref="StorageException">They name no queues.</exception>
    public static QueueServiceClient QueuesFromSettings(IConfiguration settings) =>
        Services(settings, null).GetRequiredService<QueueServiceClient>();

    /// <param name="location">What <see cref="Setting"/> may be: <c>folder:PATH</c>, a connection string, or the https address of
    /// an account's blob service.</param>
    /// <param name="patience">How long to wait for storage that does not answer.</param>
    /// <exception cref="StorageException">The location names no storage; the message does not repeat it, since it may hold a
    /// key.</exception>
    public static IBlobStore Open(string location, StoragePatience? patience = null) =>
        FromSettings(new ConfigurationBuilder().AddInMemoryCollection([new(Setting, location)]).Build(), patience);

    /// <summary>Checks that paths may begin so.</summary>
    /// <exception cref="BlobPathException">No blob's path does; says why.</exception>
    public static void CheckPrefix(string prefix) => BlobPath.ParsePrefix(prefix);

    /// <summary>Whether a blob can have this path, and if not, why.</summary>
    public static bool IsPath(string path, out string why)
    {
        try
        {
            (_, why) = (BlobPath.Parse(path), "");
            return true;
        }
        catch (BlobPathException fault)
        {
            why = fault.Message;
            return false;
        }
    }

    /// <inheritdoc cref="IsPath(string, out string)"/>
    public static bool IsPath(string path) => IsPath(path, out _);

    static ServiceProvider Services(IConfiguration settings, StoragePatience? patience) =>
        new ServiceCollection().AddStorage(settings, patience).BuildServiceProvider();
}
