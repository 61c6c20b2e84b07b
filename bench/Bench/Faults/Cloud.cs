using System.Diagnostics;
using VaeFunctions.LocalCloud;
using VaeFunctions.Registry;
using VaeFunctions.Tests;

namespace VaeFunctions.Bench.Faults;

/// <summary>Storage, host and worker as processes that can be killed one by one, with proxies between them that can
/// fail.</summary>
sealed class Cloud : IAsyncDisposable
{
    /// <summary>The container of images for jobs, which no trigger watches.</summary>
    public const string Pictures = "pictures";

    static readonly TimeSpan patience = TimeSpan.FromSeconds(60);

    /// <summary>The emulator writes down what it knows of its blobs and messages every five seconds, on a busy machine somewhat
    /// later.</summary>
    static readonly TimeSpan written = TimeSpan.FromSeconds(7);

    readonly string folder, data;
    readonly int port = Port.Free(), storagePort = Port.Free();
    ChildProcess azurite = null!, host = null!;

    Cloud(string folder)
    {
        this.folder = folder;
        data = Directory.CreateDirectory(Path.Combine(folder, "host")).FullName;
        var connection = Azurite.ConnectionString(storagePort);
        (Functions, Publishers, People) = (new(connection), new(connection), new(connection));
        Store = BlobStores.Open(People.ConnectionString, new() { Retries = 12 });
        Http = new HttpClient { BaseAddress = new($"http://127.0.0.1:{port}/api/"), Timeout = TimeSpan.FromSeconds(30) };
    }

    /// <summary>Between the functions, or those who publish, and the storage: these fail.</summary>
    public FaultProxy Functions { get; }

    public FaultProxy Publishers { get; }

    /// <summary>Between the storage and people, who upload, look and wait: it fails only when the storage does.</summary>
    public FaultProxy People { get; }

    /// <summary>The storage as people see it.</summary>
    public IBlobStore Store { get; }

    /// <summary>The functions' routes.</summary>
    public HttpClient Http { get; }

    public bool HostRuns => !HasExited(host.Id);

    /// <summary>The functions' worker processes that live now.</summary>
    public IReadOnlyList<int> Workers
    {
        get
        {
            try
            {
                return [.. Machine.Descendants(host.Id)
                    .Where(id => Machine.CommandLine(id).Contains("VaeFunctions.Functions.dll", StringComparison.Ordinal))];
            }
            catch (IOException) // a process ended meanwhile
            {
                return [];
            }
        }
    }

    public static async Task<Cloud> StartAsync(string folder, CancellationToken cancellation)
    {
        var cloud = new Cloud(folder);
        await cloud.StartStorageAsync(cancellation);
        return cloud;
    }

    public async Task StartHostAsync(CancellationToken cancellation)
    {
        host = ChildProcess.Start("The functions' host", Path.ChangeExtension(typeof(Cloud).Assembly.Location, null),
            [HostCommand.Name, "--port", $"{port}", "--data", data],
            new Dictionary<string, string> { [BlobStores.Setting] = Functions.ConnectionString }, Path.Combine(data, "host.log"));
        await host.WaitUntilReadyAsync(
            new(Http.BaseAddress!, "health/live"), answer => answer.IsSuccessStatusCode, patience, cancellation);
    }

    /// <summary>Waits until the functions serve and every model is loaded.</summary>
    public Task ReadyAsync(CancellationToken cancellation) => host.WaitUntilReadyAsync(
        new(Http.BaseAddress!, "health/ready"), answer => answer.IsSuccessStatusCode, patience, cancellation);

    /// <summary>Kills the worker with signal 9; its host starts another. False where none runs just now.</summary>
    public bool KillWorker()
    {
        if (Workers is not [var worker, ..])
            return false;
        Signal(worker, "KILL");
        return true;
    }

    /// <summary>Lets a process stand still for a time.</summary>
    public static async Task FreezeAsync(int process, TimeSpan time)
    {
        Signal(process, "STOP");
        await Task.Delay(time);
        Signal(process, "CONT");
    }

    public Task FreezeStorageAsync(TimeSpan time) => FreezeAsync(azurite.Id, time);

    /// <summary>Kills the host with signal 9, or asks it to stop, and starts it again after a pause.</summary>
    public async Task RestartHostAsync(bool kill, TimeSpan pause, CancellationToken cancellation)
    {
        Signal(host.Id, kill ? "KILL" : "TERM");
        await host.WaitForExitAsync(cancellation);
        await Task.Delay(pause, cancellation);
        await StartHostAsync(cancellation);
    }

    /// <summary>Stops the storage and starts it again after a pause.</summary>
    public async Task StopStorageAsync(TimeSpan pause, CancellationToken cancellation)
    {
        await azurite.StopAsync(patience);
        await Task.Delay(pause, cancellation);
        await StartStorageAsync(cancellation);
    }

    /// <summary>Kills the storage with signal 9 and starts it again after a pause. The emulator would lose what it acknowledged
    /// within the last seconds, as no storage that anybody sells does: connections are broken first, wherever they are, and the
    /// kill comes when all that was acknowledged is written down.</summary>
    public async Task KillStorageAsync(TimeSpan pause, CancellationToken cancellation)
    {
        FaultProxy[] all = [Functions, Publishers, People, .. Others];
        await Task.WhenAll(all.Select(proxy => proxy.CloseAsync()));
        var (closed, clock) = (DateTime.UtcNow, Stopwatch.StartNew());
        var books = Directory.GetFiles(folder, "__azurite_db*.json");
        while (clock.Elapsed < written && books.Any(book => File.GetLastWriteTimeUtc(book) < closed))
            await Task.Delay(50, cancellation);
        Signal(azurite.Id, "KILL");
        await azurite.WaitForExitAsync(cancellation);
        await Task.Delay(pause, cancellation);
        await StartStorageAsync(cancellation);
        foreach (var proxy in all)
            proxy.Open();
    }

    /// <summary>Further proxies before the same storage.</summary>
    public List<FaultProxy> Others { get; } = [];

    public FaultProxy AnotherProxy()
    {
        var proxy = new FaultProxy(Azurite.ConnectionString(storagePort));
        Others.Add(proxy);
        return proxy;
    }

    /// <summary>Megabytes that host and worker hold now.</summary>
    public double Megabytes()
    {
        try
        {
            return ((int[])[host.Id, .. Workers]).Max(id => Machine.Megabytes(id, "VmRSS"));
        }
        catch (Exception fault) when (fault is IOException or InvalidOperationException)
        {
            return 0; // one of them is being replaced
        }
    }

    async Task StartStorageAsync(CancellationToken cancellation) =>
        azurite = await Azurite.StartAsync(storagePort, folder, cancellation);

    static void Signal(int process, string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{process}"]);
        kill.WaitForExit();
    }

    static bool HasExited(int process) => !Directory.Exists($"/proc/{process}");

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (host is not null)
            await host.DisposeAsync();
        await azurite.DisposeAsync();
        foreach (var proxy in (FaultProxy[])[Functions, Publishers, People, .. Others])
            proxy.Dispose();
    }
}
