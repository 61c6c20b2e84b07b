using Azure.Core;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Microsoft.Extensions.Azure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace VaeFunctions.Registry;

/// <summary>The storage that settings name, as services: the one place where those settings are read.</summary>
/// <remarks>
/// They follow the convention of Azure's connections: <c>VaeStorage</c> is a connection string or, beyond the convention,
/// <c>folder:PATH</c>;
/// or <c>VaeStorage__blobServiceUri</c> and <c>VaeStorage__queueServiceUri</c> are the addresses of an account, reached by
/// identity. <c>VaeStorage__credential</c> and <c>VaeStorage__clientId</c> choose that identity, by default Azure's default
/// credential.
/// </remarks>
public static class StorageClients
{
    internal const string BlobUri = "blobServiceUri";

    const string Folder = "folder:", QueueUri = "queueServiceUri";

    const string Forms = Folder + "PATH, or to a connection string such as UseDevelopmentStorage=true";

    /// <summary>Adds an <see cref="IBlobStore"/> and the <see cref="QueueServiceClient"/> beside it.</summary>
    /// <remarks>Asked for, each throws a <see cref="StorageException"/> where the settings do not name it; no message repeats a
    /// value that may hold a key. Messages of queues are in base64, as the Functions host reads and writes them.</remarks>
    /// <param name="patience">How long to wait for storage that does not answer.</param>
    public static IServiceCollection AddStorage(
        this IServiceCollection services, IConfiguration configuration, StoragePatience? patience = null)
    {
        patience ??= new();
        var settings = configuration.GetSection(BlobStores.Setting);
        services.AddAzureClients(clients =>
        {
            // It writes a text of every request and answer with all their headers, whether somebody reads it or not.
            clients.ConfigureDefaults(options => options.Diagnostics.IsLoggingEnabled = false);
            // The factory asks for this credential again where the settings choose none.
            clients.UseCredential(provider => settings["credential"] is null
                ? new DefaultAzureCredential(new DefaultAzureCredentialOptions { ManagedIdentityClientId = settings["clientId"] })
                : provider.GetRequiredService<AzureComponentFactory>().CreateTokenCredential(settings));
            clients.AddClient<BlobServiceClient, BlobClientOptions>((options, credential) => Blobs(settings, options, credential))
                .ConfigureOptions(patience.ApplyTo);
            clients.AddClient<QueueServiceClient, QueueClientOptions>(
                (options, credential) => Queues(settings, options, credential))
                .ConfigureOptions(options =>
                {
                    patience.ApplyTo(options);
                    options.MessageEncoding = QueueMessageEncoding.Base64;
                });
        });
        return services.AddSingleton(provider => FolderOf(settings) is { } folder
            ? folder.Length > 0 ? new FolderBlobStore(folder)
                : throw new StorageException($"{Folder} names no folder; write {Folder}PATH.")
            : (IBlobStore)new AzureBlobStore(provider.GetRequiredService<BlobServiceClient>()));
    }

    static BlobServiceClient Blobs(IConfigurationSection settings, BlobClientOptions options, TokenCredential credential)
    {
        if (AddressOf(settings, BlobUri) is { } address)
            return new(address, credential, options);
        if (settings.Value is not { Length: > 0 } connection)
            throw new StorageException($"No storage is named. Set {BlobStores.Setting} to {Forms}, or {InEnvironment(BlobUri)} "
                + $"to "
                + "https://ACCOUNT.blob.core.windows.net. On one machine ./vae serve has a storage, in another terminal.");
        return Connect(() => new BlobServiceClient(connection, options), connection);
    }

    static QueueServiceClient Queues(IConfigurationSection settings, QueueClientOptions options, TokenCredential credential)
    {
        if (AddressOf(settings, QueueUri) is { } address)
            return new(address, credential, options);
        // A connection string with nothing but a BlobEndpoint gives a client without an address.
        if (FolderOf(settings) is null && settings.Value is { Length: > 0 } connection && !IsAddress(connection)
            && Connect(() => new QueueServiceClient(connection, options), connection) is { Uri: not null } client)
            return client;
        throw new StorageException($"The storage that {BlobStores.Setting} names has no queues. Give it a connection string with "
            + $"a QueueEndpoint, "
            + $"or set {InEnvironment(QueueUri)} to https://ACCOUNT.queue.core.windows.net.");
    }

    static T Connect<T>(Func<T> client, string connection)
    {
        try
        {
            return client();
        }
        catch (Exception fault) when (fault is FormatException or ArgumentException or InvalidOperationException)
        {
            // Without the cause, whose text may repeat what was given.
            throw new StorageException($"{BlobStores.Setting} was not understood ({connection.Length} characters; not repeated "
                + $"here, they may hold a key). "
                + $"Set it to {Forms}.");
        }
    }

    static string? FolderOf(IConfigurationSection settings) =>
        settings.Value?.StartsWith(Folder, StringComparison.OrdinalIgnoreCase) == true ? settings.Value[Folder.Length..] : null;

    static bool IsAddress(string? value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https";

    /// <summary>The address of a service, or null where none is set. The blobs' may stand in the setting itself.</summary>
    static Uri? AddressOf(IConfigurationSection settings, string name)
    {
        var value = settings[name] is { Length: > 0 } own ? own : name == BlobUri && IsAddress(settings.Value)
            ? settings.Value : null;
        if (value is null)
            return null;
        return Uri.TryCreate(value, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps
            && address is { Query: "", UserInfo: "" }
            ? address
            : throw new StorageException($"{InEnvironment(name)} is no address that begins with https and has neither query nor "
                + $"user, such as "
                + "https://ACCOUNT.blob.core.windows.net; one with a signature goes into a connection string: "
                + "BlobEndpoint=https://…;SharedAccessSignature=…");
    }

    static string InEnvironment(string name) => $"{BlobStores.Setting}__{name}";
}
