using VaeFunctions.LocalCloud;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>A small model, trained with the real trainer into a folder, and a running <c>serve</c> that published it.</summary>
public sealed class ServeFixture : IAsyncLifetime
{
    public const string Model = "small-faces";

    internal TemporaryFolder Folder { get; } = new();

    internal string Data => Folder.File("data");

    internal Session Session { get; } = new(Port.Free(), Port.Free());

    internal Command Serve { get; private set; } = null!;

    internal IBlobStore Store => BlobStores.Open(Azurite.ConnectionString(Session.StoragePort));

    public async Task InitializeAsync()
    {
        var runs = Folder.File("runs");
        await using var training = await Command.RunAsync(
            Command.LocalCloud, "train", "faces-vae", "--data", "faces:400", "--epochs", "1", "--model", Model, "--out", runs);
        Assert.True(training.ExitCode == 0, training.Output);
        Serve = Command.Start(
            Command.LocalCloud, "serve", "--port", $"{Session.Port}", "--storage-port", $"{Session.StoragePort}", "--data", Data,
            "--runs", runs);
        await Serve.WaitForAsync("Ctrl-C stops");
    }

    public async Task DisposeAsync()
    {
        await Serve.DisposeAsync();
        Folder.Dispose();
    }
}
