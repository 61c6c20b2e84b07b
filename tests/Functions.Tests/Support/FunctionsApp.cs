using System.Diagnostics;
using VaeFunctions.LocalCloud.Host;

namespace VaeFunctions.Tests;

/// <summary>The functions as the local host runs them: the real worker process behind it, on a free port.</summary>
sealed class FunctionsApp : IAsyncDisposable
{
    static readonly TimeSpan patience = TimeSpan.FromSeconds(60);

    readonly string folder = Directory.CreateTempSubdirectory("functions").FullName;
    readonly SharedLog log = new();
    LocalHost host = null!;

    FunctionsApp()
    {
    }

    public HttpClient Http { get; } = new() { Timeout = patience };

    /// <summary>The worker's process id.</summary>
    public int Worker => host.WorkerProcesses.Single();

    public IReadOnlyList<int> Workers => host.WorkerProcesses;

    /// <summary>The memory that the worker holds now.</summary>
    public double Megabytes
    {
        get
        {
            using var process = Process.GetProcessById(Worker);
            return process.WorkingSet64 / 1e6;
        }
    }

    public string Log => log.ToString();

    /// <summary>Fails when no worker can be kept running.</summary>
    public Task Ended => host.Ended;

    /// <summary>The folder that the functions are built into, beside these tests'.</summary>
    public static string Folder
    {
        get
        {
            var own = new DirectoryInfo(AppContext.BaseDirectory);
            return Path.Combine(own.Parent!.Parent!.FullName, "Functions", own.Name);
        }
    }

    /// <summary>Starts host and worker and waits until they listen.</summary>
    /// <exception cref="LocalCloud.LocalCloudException">They do not start; says why.</exception>
    public static Task<FunctionsApp> StartAsync(string connection, params (string Name, string Value)[] settings) =>
        StartAsync(connection, workers: 1, blobSilence: null, settings);

    /// <inheritdoc cref="StartAsync(string, ValueTuple{string, string}[])"/>
    public static async Task<FunctionsApp> StartAsync(
        string connection, int workers = 1, TimeSpan? blobSilence = null, params (string Name, string Value)[] settings)
    {
        var app = new FunctionsApp();
        (string Name, string Value)[] all = [("Serving__PointerCheckSeconds", "0.1"), ("Serving__RuntimeThreads", "1"),
            .. settings];
        try
        {
            app.host = await LocalHost.StartAsync(new()
            {
                App = Folder,
                Workers = workers,
                Storage = connection,
                Settings = all.GroupBy(setting => setting.Name).ToDictionary(named => named.Key, named => named.Last().Value),
                DataFolder = app.folder,
                Log = app.log,
                BlobSilence = blobSilence ?? BlobEvents.UsualSilence,
            }, CancellationToken.None);
        }
        catch
        {
            app.Http.Dispose();
            throw;
        }
        app.Http.BaseAddress = new Uri(app.host.Address, "/api/");
        return app;
    }

    /// <summary>Waits until the models are warmed up.</summary>
    public Task ReadyAsync() => Eventually.Async(async () =>
    {
        using var response = await Http.GetAsync("health/ready");
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    });

    /// <summary>Ends a worker as a failing machine does; the host starts another.</summary>
    public async Task KillWorkerAsync()
    {
        using var process = Process.GetProcessById(Workers[0]);
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>Stops host and worker in order.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!Directory.Exists(folder))
            return;
        Http.Dispose();
        await host.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Written by many threads, read at any time.</summary>
    sealed class SharedLog : StringWriter
    {
        public override void WriteLine(string? value)
        {
            lock (this)
                base.WriteLine(value);
        }

        public override string ToString()
        {
            lock (this)
                return base.ToString();
        }
    }
}
