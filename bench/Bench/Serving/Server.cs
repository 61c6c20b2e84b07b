using System.Diagnostics;
using System.Net.Sockets;
using VaeFunctions.LocalCloud;

namespace VaeFunctions.Bench.Serving;

/// <summary>A server in a process of its own.</summary>
sealed class Server : IAsyncDisposable
{
    readonly ChildProcess process;

    Server(ChildProcess process, Uri address) => (this.process, Address) = (process, address);

    public Uri Address { get; }

    /// <summary>Of the functions' storage emulator.</summary>
    public int StoragePort { get; private init; }

    /// <summary>The processes that answer: its own, and the functions' worker that it started.</summary>
    public IReadOnlyList<int> Processes => [process.Id, .. Machine.Descendants(process.Id).Where(IsWorker)];

    /// <summary>From the start of the process to its first picture.</summary>
    public TimeSpan ColdStart { get; private set; }

    /// <summary>The memory that they hold now.</summary>
    public double Megabytes => Processes.Sum(id => Machine.Megabytes(id, "VmRSS"));

    /// <summary><c>./vae serve</c>: the storage emulator, the host and the functions' worker.</summary>
    /// <param name="data">The data folder, with the models that an earlier start published there.</param>
    /// <param name="runs">A folder with models that this start publishes.</param>
    /// <param name="body">What clients will send.</param>
    /// <param name="function">Which function of the model they will ask.</param>
    public static Task<Server> FunctionsAsync(
        string data, string runs, string model, byte[] body, CancellationToken cancellation, string function = "decode",
        params (string Name, string Value)[] settings)
    {
        var storagePort = Port.Free();
        return StartAsync(port => ChildProcess.Start("./vae serve",
            Path.ChangeExtension(typeof(Installation).Assembly.Location, null),
            ["serve", "--port", $"{port}", "--storage-port", $"{storagePort}", "--data", data, "--runs", runs],
            settings.ToDictionary(setting => setting.Name, setting => setting.Value), Path.Combine(data, "serve.log")),
            $"api/models/{model}/{function}", body, cancellation, storagePort);
    }

    /// <summary>bench/serve.mjs on a graph.</summary>
    public static Task<Server> NodeAsync(string decoder, byte[] body, string log, CancellationToken cancellation) =>
        StartAsync(port => ChildProcess.Start("The Node server", "node",
            [Path.Combine(Installation.Root, "bench/serve.mjs"), decoder, $"{port}"], log: log), "", body, cancellation);

    static async Task<Server> StartAsync(
        Func<int, ChildProcess> start, string path, byte[] body, CancellationToken cancellation, int storagePort = 0)
    {
        var port = Port.Free();
        var clock = Stopwatch.StartNew();
        var process = start(port);
        var server = new Server(process, new($"http://127.0.0.1:{port}/{path}")) { StoragePort = storagePort };
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

    static bool IsWorker(int process) =>
        Machine.CommandLine(process).Contains("VaeFunctions.Functions.dll", StringComparison.Ordinal);

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
