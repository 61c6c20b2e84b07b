using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Configuration;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests.Registry;

[Collection(AzuriteFixture.Name)]
public sealed class AzureBlobStoreTests(AzuriteFixture azurite) : BlobStoreContract
{
    protected override IBlobStore Open() => BlobStores.Open(azurite.ConnectionString);

    [SkippableFact]
    public async Task A_picture_is_stored_as_a_picture()
    {
        await Open().WriteAsync("results/a/b.png", BinaryData.FromString("x"));
        var properties = await new BlobClient(azurite.ConnectionString, "results", "a/b.png").GetPropertiesAsync();
        Assert.Equal("image/png", properties.Value.ContentType);
    }

    [SkippableTheory]
    [InlineData(100)]
    [InlineData(9 << 20)] // goes up in two requests
    public async Task Half_a_body_whose_length_agrees_is_fetched_again_and_never_taken(int size)
    {
        using var proxy = new FaultProxy(azurite.ConnectionString);
        var store = BlobStores.Open(proxy.ConnectionString);
        var content = new RandomStream(1, "content").Gaussians(size / 4).SelectMany(BitConverter.GetBytes).ToArray();
        await store.WriteAsync($"inbox/half/{size}", new(content));

        var reads = 0;
        proxy.Decide = (_, _) => ++reads <= 2 ? Fault.Half : Fault.None;
        Assert.Equal(content, (await store.TryReadAsync($"inbox/half/{size}", 1 << 30))!.Content.ToArray());
        Assert.Equal(3, reads);
        proxy.Decide = (_, _) => Fault.Half;
        var error = await Assert.ThrowsAsync<StorageException>(() => store.TryReadAsync($"inbox/half/{size}", 1 << 30));
        Assert.Contains($"inbox/half/{size}", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_wrong_key_is_reported_with_the_place_and_without_the_key()
    {
        var wrongKey = Convert.ToBase64String(new byte[64]);
        var store = BlobStores.Open(azurite.ConnectionString.Replace(
            azurite.ConnectionString.Split("AccountKey=")[1].Split(';')[0], wrongKey, StringComparison.Ordinal));

        var error = await Assert.ThrowsAsync<StorageException>(() => store.WriteAsync("models/a", BinaryData.FromString("x")));
        Assert.Contains("refuses the credentials", error.Message, StringComparison.Ordinal);
        Assert.Contains(store.Location, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(wrongKey[..20], error.ToString() + store.Location, StringComparison.Ordinal);
    }
}

[Collection(AzuriteFixture.Name)]
public sealed class ModelRegistryInAzureTests(AzuriteFixture azurite) : ModelRegistryContract
{
    protected override IBlobStore Open() => BlobStores.Open(azurite.ConnectionString);
}

public sealed class BlobStoresTests
{
    const string Key = "c2VjcmV0c2VjcmV0c2VjcmV0";

    [Fact]
    public async Task Storage_that_is_down_is_reported_in_seconds_by_every_operation()
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var port = ((IPEndPoint)closed.LocalEndpoint).Port;
        closed.Stop();
        var store = BlobStores.Open(
            $"DefaultEndpointsProtocol=http;AccountName=a;AccountKey={Key};BlobEndpoint=http://127.0.0.1:{port}/a;");
        var watch = Stopwatch.StartNew();

        var errors = await Task.WhenAll(
            Assert.ThrowsAsync<StorageException>(() => store.TryReadAsync("models/a", 1)),
            Assert.ThrowsAsync<StorageException>(() => store.WriteAsync("models/a", BinaryData.FromString("x"))),
            Assert.ThrowsAsync<StorageException>(() => store.DeleteAsync("models/a")),
            Assert.ThrowsAsync<StorageException>(async () => await store.ListAsync("models/").ToArrayAsync()),
            Assert.ThrowsAsync<StorageException>(async () => await store.ListFoldersAsync("models/").ToArrayAsync()));

        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(15));
        Assert.All(errors, error => Assert.Contains(
            $"http://127.0.0.1:{port}/a: the storage cannot be reached", error.Message, StringComparison.Ordinal));
        Assert.All(errors, error => Assert.DoesNotContain(Key, error.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Storage_that_accepts_and_stays_silent_is_given_up()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var store = BlobStores.Open(
            $"DefaultEndpointsProtocol=http;AccountName=a;AccountKey={Key};BlobEndpoint=http://{silent.LocalEndpoint}/a;",
            patience: new StoragePatience { Retries = 1, AnswerTimeout = TimeSpan.FromMilliseconds(200) });

        await Assert.ThrowsAsync<StorageException>(() => store.TryReadAsync("models/a", 1));
        using var stop = new CancellationTokenSource(50);
        // stopping is no failure
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.TryReadAsync("models/a", 1, stop.Token));
    }

    [Fact]
    public void Every_form_of_a_location_opens_what_it_names()
    {
        Assert.Equal(Path.GetFullPath("a/b"), BlobStores.Open("folder:a/b/").Location);
        Assert.Equal("http://127.0.0.1:10000/devstoreaccount1", BlobStores.Open("UseDevelopmentStorage=true").Location);
        Assert.Equal("https://acc.blob.core.windows.net",
            BlobStores.Open($"DefaultEndpointsProtocol=https;AccountName=acc;AccountKey={Key};EndpointSuffix=core.windows.net")
                .Location);
        Assert.Equal("https://acc.blob.core.windows.net", BlobStores.Open("https://acc.blob.core.windows.net/").Location);
        Assert.Equal("https://acc.blob.core.windows.net",
            BlobStores.Open($"BlobEndpoint=https://acc.blob.core.windows.net/;SharedAccessSignature=sv=2023&sig={Key}").Location);
    }

    [Theory]
    [InlineData("")]
    [InlineData("folder:")]
    [InlineData("/tmp/somewhere")]
    [InlineData("nonsense")]
    [InlineData("AccountName=acc;AccountKey=" + Key + "!")]
    [InlineData("DefaultEndpointsProtocol=https;AccountName=acc;AccountKey")]
    [InlineData("https://acc.blob.core.windows.net?sig=" + Key)]
    [InlineData("https://user:" + Key + "@acc.blob.core.windows.net")]
    [InlineData("http://acc.blob.core.windows.net")]
    [InlineData("ftp://acc")]
    public void Anything_else_is_refused_without_repeating_a_key(string location)
    {
        var error = Assert.Throws<StorageException>(() => BlobStores.Open(location));
        Assert.DoesNotContain(Key, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_name_the_storage_in_either_way()
    {
        Assert.Equal("https://acc.blob.core.windows.net",
            BlobStores.FromSettings(Settings(("VaeStorage:blobServiceUri", "https://acc.blob.core.windows.net"))).Location);
        Assert.Equal(Path.GetFullPath("x"), BlobStores.FromSettings(Settings(("VaeStorage", "folder:x"))).Location);
        var error = Assert.Throws<StorageException>(
            () => BlobStores.FromSettings(Settings(("VaeStorage", ""), ("VaeStorage:blobServiceUri", ""))));
        Assert.Contains("VaeStorage__blobServiceUri", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Queues_come_from_the_connection_string_or_their_own_address()
    {
        Assert.Equal(
            "http://127.0.0.1:10001/devstoreaccount1", Queues(("VaeStorage", "UseDevelopmentStorage=true")).Uri.ToString());
        Assert.Equal("https://acc.queue.core.windows.net/", Queues(
            ("VaeStorage:blobServiceUri", "https://acc.blob.core.windows.net"), ("VaeStorage:queueServiceUri",
                "https://acc.queue.core.windows.net")).Uri.ToString());
    }

    [Theory]
    [InlineData("VaeStorage", "folder:x")]
    [InlineData("VaeStorage", "https://acc.blob.core.windows.net")]
    [InlineData("VaeStorage:blobServiceUri", "https://acc.blob.core.windows.net")]
    [InlineData("VaeStorage", $"BlobEndpoint=https://acc.blob.core.windows.net/;SharedAccessSignature=sv=2023&sig={Key}")]
    public void A_storage_without_queues_says_how_to_name_them(string setting, string value)
    {
        var error = Assert.Throws<StorageException>(() => Queues((setting, value)));
        Assert.Contains("VaeStorage__queueServiceUri", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, error.ToString(), StringComparison.Ordinal);
    }

    static Azure.Storage.Queues.QueueServiceClient Queues(params (string, string)[] settings) =>
        BlobStores.QueuesFromSettings(Settings(settings));

    static IConfiguration Settings(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build();
}
