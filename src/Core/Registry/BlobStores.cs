using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;

namespace VaeFunctions.Registry;

/// <summary>Opens the storage that a setting names.</summary>
public static class BlobStores
{
    /// <summary>The setting that both executables read: a connection string, or <c>folder:PATH</c>.</summary>
    public const string Setting = "VaeStorage";

    /// <summary>Its other form, for an account reached by identity; the environment spells it <c>VaeStorage__blobServiceUri</c>.</summary>
    public const string UriSetting = "VaeStorage:blobServiceUri";

    const string Forms = "folder:PATH, a connection string such as UseDevelopmentStorage=true, or https://ACCOUNT.blob.core.windows.net";

    /// <summary>Looks a setting up in the environment, which spells its colons as two underscores; null where it is empty or not set.</summary>
    public static string? FromEnvironment(string setting) => Environment.GetEnvironmentVariable(InEnvironment(setting)) is { Length: > 0 } value ? value : null;

    /// <summary>Opens what the settings name.</summary>
    /// <param name="setting">Looks a setting up; null or empty where it is not set.</param>
    /// <param name="credential">Makes the identity for an account's address; called only when one is needed.</param>
    /// <exception cref="StorageException">Neither setting is there, or its value names no storage.</exception>
    public static IBlobStore FromSettings(Func<string, string?> setting, Func<TokenCredential> credential)
    {
        if (setting(Setting) is { Length: > 0 } location) return Open(location, location.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? credential() : null);
        if (setting(UriSetting) is { Length: > 0 } uri) return Open(uri, credential());
        throw new StorageException($"No storage is named. Set {Setting} to {Forms}, or {InEnvironment(UriSetting)} to such an address. On one machine ./vae serve has a storage, in another terminal.");
    }

    static string InEnvironment(string setting) => setting.Replace(":", "__", StringComparison.Ordinal);

    /// <summary>Checks that paths may begin so.</summary>
    /// <exception cref="ArgumentException">No blob's path does; says why.</exception>
    public static void CheckPrefix(string prefix) => BlobPath.ParsePrefix(prefix);

    /// <param name="location"><c>folder:PATH</c>, a connection string, or the https address of an account's blob service.</param>
    /// <param name="credential">The identity for an address; connection strings bring their own.</param>
    /// <param name="patience">How long to wait for storage that does not answer.</param>
    /// <exception cref="StorageException">The location names no storage; the message does not repeat it, since it may hold a key.</exception>
    public static IBlobStore Open(string location, TokenCredential? credential = null, StoragePatience? patience = null)
    {
        const string folder = "folder:";
        if (location.StartsWith(folder, StringComparison.OrdinalIgnoreCase))
            return location.Length > folder.Length ? new FolderBlobStore(location[folder.Length..]) : throw new StorageException("folder: names no folder; write folder:PATH.");

        var options = (patience ?? new()).ToOptions();
        if (Uri.TryCreate(location, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp))
        {
            if (uri.Scheme != Uri.UriSchemeHttps || uri.Query.Length > 0 || uri.UserInfo.Length > 0)
                throw new StorageException("A storage address must begin with https and have no query or user; one with a signature goes into a connection string: "
                    + "BlobEndpoint=https://…;SharedAccessSignature=…");
            return new AzureBlobStore(new BlobServiceClient(uri, credential ?? throw new StorageException($"{uri.Host} is reached by identity, and none was given."), options));
        }
        try
        {
            return new AzureBlobStore(new BlobServiceClient(location, options));
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException)
        {
            throw new StorageException($"The storage location was not understood ({location.Length} characters; not repeated here, it may hold a key). Use {Forms}.");
        }
    }
}

/// <summary>How long to wait for storage that does not answer. The defaults report one that is down within seconds.</summary>
public sealed record StoragePatience
{
    /// <summary>Further tries after the first.</summary>
    public int Retries { get; init; } = 3;

    /// <summary>The longest wait between two tries; the first waits are shorter.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a try may take to connect.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a request may take until its answer begins; uploads go in requests of 8 MB.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(30);

    internal BlobClientOptions ToOptions() => new()
    {
        Retry =
        {
            Mode = RetryMode.Exponential,
            MaxRetries = Retries,
            Delay = TimeSpan.FromMilliseconds(Math.Min(200, MaxDelay.TotalMilliseconds)),
            MaxDelay = MaxDelay,
            NetworkTimeout = AnswerTimeout,
        },
        Transport = new HttpClientTransport(new HttpClient(new SocketsHttpHandler
        {
            ConnectTimeout = ConnectTimeout,
            AllowAutoRedirect = false,
            UseCookies = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // so that a changed DNS entry is seen
        })
        { Timeout = Timeout.InfiniteTimeSpan }), // the retry policy has the timeout
    };
}
