using Azure.Storage.Blobs;
using VaeFunctions.Models;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>Storage with one tiny model, and the program that serves it.</summary>
public sealed class ServingFixture : IAsyncLifetime
{
    public const string Model = "tiny";

    /// <summary>A model whose labels are plain and bright.</summary>
    public const string Labelled = "labelled";

    public const string WithoutPrior = "plain-autoencoder";

    readonly AzuriteFixture azurite = new();
    FunctionsApp? app;

    public HttpClient Http => app!.Http;

    public BlobServiceClient Blobs { get; private set; } = null!;

    public ModelRegistry Registry { get; private set; } = null!;

    public string ConnectionString => azurite.ConnectionString;

    public string Log => app!.Log;

    public async Task InitializeAsync()
    {
        await azurite.InitializeAsync();
        Blobs = new BlobServiceClient(azurite.ConnectionString);
        Registry = new ModelRegistry(new AzureBlobStore(Blobs));
        await TinyModel.ServeAsync(Registry, Model, "v1", change: manifest => manifest with
        {
            Data = new("none", "none", 1000, 100),
            // Ordinary are scores up to 0.01.
            Anomaly = new(new Dictionary<string, double> { ["0"] = 0, ["0.95"] = 0.005, ["0.99"] = 0.008, ["1"] = 0.01 }),
        }, concepts: [new("bright", [0.25f, 0.25f, 0.25f, 0.25f], [0.5f, 0, 0, 0], 1, 10)]);
        var (encoder, decoder) = TinyModel.Conditional();
        await TinyModel.ServeAsync(Registry, Labelled, "v1", encoder, decoder,
            manifest => manifest with { Conditional = true, Labels = ["plain", "bright"] });
        await TinyModel.ServeAsync(Registry, WithoutPrior, "v1", change: manifest => manifest with { Prior = Prior.None });
        app = await FunctionsApp.StartAsync(
            azurite.ConnectionString, ("Serving__MaxBodyBytes", "1000000"), ("Serving__MaxImages", "8"));
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
