using Azure.Storage.Blobs;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>Storage with one tiny model, and the program that serves it.</summary>
public sealed class ServingFixture : IAsyncLifetime
{
    public const string Model = "tiny";

    readonly AzuriteFixture azurite = new();
    FunctionsApp? app;

    public HttpClient Http => app!.Http;

    public BlobServiceClient Blobs { get; private set; } = null!;

    public ModelRegistry Registry { get; private set; } = null!;

    public string Log => app!.Log;

    public async Task InitializeAsync()
    {
        await azurite.InitializeAsync();
        Blobs = new BlobServiceClient(azurite.ConnectionString);
        Registry = new ModelRegistry(new AzureBlobStore(Blobs));
        await TinyModel.ServeAsync(Registry, Model, "v1");
        app = await FunctionsApp.StartAsync(azurite.ConnectionString, ("Serving__MaxBodyBytes", "1000000"), ("Serving__MaxImages", "8"));
        await app.ReadyAsync();
    }

    public async Task DisposeAsync()
    {
        if (app is not null)
            await app.DisposeAsync();
        await azurite.DisposeAsync();
    }
}

[CollectionDefinition(Name)]
public sealed class Serving : ICollectionFixture<ServingFixture>
{
    public const string Name = "serving";
}
