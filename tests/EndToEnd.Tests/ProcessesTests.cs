using System.Diagnostics;
using VaeFunctions.LocalCloud;
using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>What runs, what stops, and what is left: nothing.</summary>
public sealed class ProcessesTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("KILL")]
    [InlineData("TERM")]
    public async Task A_serve_that_ends_takes_its_children_with_it(string signal)
    {
        await using var serve = await ServeAsync();
        Assert.Equal(3, serve.Family().Count);
        Assert.Contains($"none yet, neither in this storage nor in {folder.File("none")}, which does not exist", serve.Output,
            StringComparison.Ordinal);

        if (signal == "KILL")
            serve.Kill();
        else
            Assert.Equal(0, await serve.TerminateAsync());

        for (var clock = Stopwatch.StartNew(); serve.Family().Count > 0; await Task.Delay(50))
            Assert.True(
                clock.Elapsed < TimeSpan.FromSeconds(15), $"Still running: {string.Join(Environment.NewLine, serve.Family())}");
    }

    [Fact]
    public async Task A_demo_that_is_interrupted_says_so_and_leaves_nothing_running()
    {
        await using var demo = Command.Start(Command.LocalCloud, "demo", "--data", "faces:400", "--out", folder.Path);
        await demo.WaitForAsync("weights"); // It trains.

        Assert.Equal(130, await demo.TerminateAsync());

        Assert.Contains("Stopped.", demo.Output, StringComparison.Ordinal);
        Assert.Empty(demo.Family());
    }

    [Fact]
    public async Task A_child_that_dies_ends_serve_with_a_message()
    {
        await using var serve = await ServeAsync();

        using (var emulator = Process.GetProcessById(serve.Family().Single(process => process.CommandLine.Contains("azurite",
            StringComparison.Ordinal)).Id))
            emulator.Kill();

        Assert.Equal(1, await serve.WaitForExitAsync());
        Assert.Contains("The storage emulator ended with exit code 137", serve.Output, StringComparison.Ordinal);
        Assert.Empty(serve.Family());
    }

    [Fact]
    public async Task An_image_that_nobody_answers_is_reported_and_stays_in_the_inbox()
    {
        var session = new Session(Port.Free(), Port.Free());
        session.Write(folder.Path);
        using var held = Session.TryHold(folder.Path); // as a serve does
        await using var storage = await Azurite.StartAsync(session.StoragePort, folder.Path, default);
        var store = BlobStores.Open(Azurite.ConnectionString(session.StoragePort));
        await store.WriteAsync("models/lonely/current.json",
            BinaryData.FromString("""{"version":"20260101T000000Z","changed":"2026-01-01T00:00:00Z","reason":"test"}"""));

        await using var drop = await Command.RunAsync(
            Command.LocalCloud, "drop", folder.File("image.png", [1, 2, 3]), "--data", folder.Path, "--timeout", "1");

        Assert.Equal(1, drop.ExitCode);
        Assert.Contains("1 without an answer", drop.Output, StringComparison.Ordinal);
        Assert.Contains("./vae serve", drop.Output, StringComparison.Ordinal);
        Assert.NotNull(await store.TryReadAsync("inbox/lonely/image.png", 100));
    }

    async Task<Command> ServeAsync()
    {
        var serve = Command.Start(
            Command.LocalCloud, "serve", "--port", $"{Port.Free()}", "--storage-port", $"{Port.Free()}",
            "--data", folder.File("data"), "--runs", folder.File("none"));
        await serve.WaitForAsync("Ctrl-C stops");
        return serve;
    }
}
