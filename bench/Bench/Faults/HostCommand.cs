using System.CommandLine;
using VaeFunctions.LocalCloud;
using VaeFunctions.LocalCloud.Host;
using VaeFunctions.Registry;

namespace VaeFunctions.Bench.Faults;

/// <summary>The functions' local host in a process of its own, on the storage that <c>VaeStorage</c> names, so that it can be
/// killed apart from that storage.</summary>
static class HostCommand
{
    public const string Name = "host";

    /// <summary>Small slices and short waits, so that a round has many of them.</summary>
    static readonly Dictionary<string, string> Settings = new()
    {
        ["Serving__PointerCheckSeconds"] = "0.3",
        ["Serving__InboxPauseSeconds"] = "1",
        ["Serving__BlobContainers"] = $"inbox,results,{Cloud.Pictures}",
        ["Serving__JobSliceSize"] = "10",
        ["Serving__JobShardSize"] = "30",
        ["VaeJobRecoverySchedule"] = "*/5 * * * * *",
    };

    public static Command Create()
    {
        Option<int> port = new("--port");
        Option<string> data = new("--data") { Required = true };
        var command = new Command(Name, "Hosts the functions until it is stopped") { port, data };
        command.Hidden = true;
        command.SetAction((parsed, cancellation) =>
            RunAsync(parsed.GetValue(port), parsed.GetRequiredValue(data), cancellation));
        return command;
    }

    static async Task RunAsync(int port, string data, CancellationToken cancellation)
    {
        await using var file = new StreamWriter(Path.Combine(data, "functions.log"), append: true) { AutoFlush = true };
        var options = new LocalHostOptions
        {
            App = Installation.Functions,
            Port = port,
            Storage = BlobStores.Environment[BlobStores.Setting]!,
            Settings = Settings,
            DataFolder = data,
            Log = TextWriter.Synchronized(file),
        };
        await using var host = await LocalHost.StartAsync(options, cancellation);
        await host.Ended.WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!cancellation.IsCancellationRequested)
            await host.Ended; // says why
    }
}
