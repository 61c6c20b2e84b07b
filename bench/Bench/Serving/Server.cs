using System.Diagnostics;
using System.Net.Sockets;
using VaeFunctions.LocalCloud;
using VaeFunctions.Registry;

namespace VaeFunctions.Bench.Serving;

/// <summary>A server in a process of its own.</summary>
sealed class Server : IAsyncDisposable
{
    readonly ChildProcess process;

    Server(ChildProcess process, Uri address) => (this.process, Address) = (process, address);

    public Uri Address { get; }

    public int Id => process.Id;

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
            await process.WaitUntilAsync(() => Task.FromResult(server.Answers(body)), TimeSpan.FromSeconds(60), cancellation);
            server.ColdStart = clock.Elapsed;
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    bool Answers(byte[] body)
    {
        try
        {
            using var client = new Client(Address, body);
            return client.Ask().Length > 0;
        }
        catch (SocketException) // it does not listen yet
        {
            return false;
        }
    }

    /// <summary>Clients that ask for some time, or until there are as many answers.</summary>
    public async Task<Load> LoadAsync(byte[] body, int count, TimeSpan time, int answers = int.MaxValue)
    {
        Client[] clients = [.. Enumerable.Range(0, count).Select(_ => new Client(Address, body))];
        try
        {
            return await Load.OfAsync(clients.Select(client => (Action)(() => client.Ask())), time, answers);
        }
        finally
        {
            foreach (var client in clients) client.Dispose();
        }
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();
}
