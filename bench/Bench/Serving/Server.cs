using System.Diagnostics;
using VaeFunctions.LocalCloud;
using VaeFunctions.Registry;

namespace VaeFunctions.Bench.Serving;

/// <summary>A server in a process of its own, and clients that know what to ask it.</summary>
sealed class Server : IAsyncDisposable
{
    readonly ChildProcess process;

    Server(ChildProcess process, Uri address) => (this.process, Address) = (process, address);

    public Uri Address { get; }

    /// <summary>From the start of the process to its first picture.</summary>
    public TimeSpan ColdStart { get; private set; }

    /// <summary>The memory that it holds now.</summary>
    public double Megabytes => Machine.Megabytes(process.Id, "VmRSS");

    /// <summary>This project's functions on a storage.</summary>
    public static Task<Server> FunctionsAsync(string storage, string model, byte[] body, string log, CancellationToken cancellation, params (string Name, string Value)[] settings) =>
        StartAsync(port => ChildProcess.Start("The functions host", Installation.Functions, ["--port", $"{port}"],
            new Dictionary<string, string>([new(BlobStores.Setting, storage), .. settings.Select(setting => KeyValuePair.Create(setting.Name, setting.Value))]), log),
            $"api/models/{model}/decode", body, cancellation);

    /// <summary>bench/serve.mjs on a graph.</summary>
    public static Task<Server> NodeAsync(string decoder, byte[] body, string log, CancellationToken cancellation) =>
        StartAsync(port => ChildProcess.Start("The Node server", "node", [Path.Combine(Installation.Root, "bench/serve.mjs"), decoder, $"{port}"], log: log), "", body, cancellation);

    static async Task<Server> StartAsync(Func<int, ChildProcess> start, string path, byte[] body, CancellationToken cancellation)
    {
        var port = Port.Free();
        var clock = Stopwatch.StartNew();
        var process = start(port);
        var server = new Server(process, new($"http://127.0.0.1:{port}/{path}"));
        try
        {
            using var client = new LoadGenerator(server.Address, body, 1);
            await process.WaitUntilAsync(async () =>
            {
                await client.AskAsync();
                return true;
            }, TimeSpan.FromSeconds(60), cancellation);
            server.ColdStart = clock.Elapsed;
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();
}
