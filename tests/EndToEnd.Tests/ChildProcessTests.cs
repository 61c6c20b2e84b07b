using System.Diagnostics;
using VaeFunctions.LocalCloud;

namespace VaeFunctions.Tests;

public sealed class ChildProcessTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_program_that_ends_early_is_reported_with_its_exit_code_and_last_words()
    {
        await using var child =
            ChildProcess.Start("The patient", "/bin/sh", ["-c", "echo I feel unwell; exit 3"], log: folder.File("log"));

        var error = await Assert.ThrowsAsync<LocalCloudException>(() =>
            child.WaitUntilReadyAsync(new Uri($"http://127.0.0.1:{Port.Free()}"), _ => true, TimeSpan.FromSeconds(20), default));

        Assert.Contains("The patient ended with exit code 3", error.Message, StringComparison.Ordinal);
        Assert.Contains("I feel unwell", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_ignores_the_request_to_stop_is_stopped_all_the_same()
    {
        await using var child = ChildProcess.Start(
            "The deaf one", "/bin/sh", ["-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"], log: folder.File("log"));
        while (!File.Exists(folder.File("log"))
            || !File.ReadAllText(folder.File("log")).Contains("deaf", StringComparison.Ordinal))
            await Task.Delay(20);

        var clock = Stopwatch.StartNew();
        await child.StopAsync(TimeSpan.FromMilliseconds(200));

        Assert.Equal(128 + 9, await child.WaitForExitAsync());
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.2, 5);
    }

    [Fact]
    public async Task A_program_that_lingers_after_its_last_word_is_not_waited_for()
    {
        await using var child = ChildProcess.Start(
            "The talker", "/bin/sh", ["-c", "trap 'echo all is written' TERM; echo ready; while :; do sleep 0.1; done"],
            log: folder.File("log"), isDone: lines => lines.Contains("all is written"));
        while (!File.Exists(folder.File("log"))
            || !File.ReadAllText(folder.File("log")).Contains("ready", StringComparison.Ordinal))
            await Task.Delay(20);

        var clock = Stopwatch.StartNew();
        await child.StopAsync(TimeSpan.FromSeconds(60));

        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 20);
    }

    [Fact]
    public async Task A_program_started_from_a_thread_that_retires_lives_on()
    {
        ChildProcess? child = null;
        var thread = new Thread(() => child = ChildProcess.Start("The sleeper", "sleep", ["30"], log: folder.File("log")));
        thread.Start();
        thread.Join();
        await Task.Delay(500);

        await using (child)
            Assert.False(child!.WaitForExitAsync().IsCompleted);
    }

    [Fact]
    public void A_free_port_has_a_free_neighbour_and_is_no_port_of_connections()
    {
        var port = Port.Free();

        Assert.InRange(port, 1024, 32767 - 1);
        Port.DemandFree(port, "the storage", "--storage-port");
        Port.DemandFree(port + 1, "its queues", "--storage-port");
    }

    [Fact]
    public void A_port_that_is_in_use_is_named_with_the_option_that_chooses_another()
    {
        var port = Port.Free();
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, port);
        listener.Start();

        var error = Assert.Throws<LocalCloudException>(() => Port.DemandFree(port, "the functions", "--port"));

        Assert.Equal(2, error.ExitCode);
        Assert.Contains($"{port}", error.Message, StringComparison.Ordinal);
        Assert.Contains($"--port {port + 10}", error.Message, StringComparison.Ordinal);
    }
}
