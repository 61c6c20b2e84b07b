using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Microsoft.Extensions.Logging;
using Newtonsoft.Json.Linq;
using VaeFunctions.LocalCloud.Host.Rpc;

namespace VaeFunctions.LocalCloud.Host;

/// <summary>Azure Functions Core Tools, Microsoft's own host for one machine, where <c>func</c> is installed.</summary>
sealed class CoreTools : IFunctionsHost
{
    static readonly TimeSpan patience = TimeSpan.FromSeconds(120), grace = TimeSpan.FromSeconds(10);

    readonly ChildProcess process;
    readonly ILoggerFactory logs;
    readonly CancellationTokenSource stopping = new();
    readonly BlobEvents[] events;
    readonly Task[] watching;

    CoreTools(ChildProcess process, Uri address, LocalHostOptions options, ILoggerFactory logs)
    {
        (this.process, this.logs, Address) = (process, logs, address);
        Ended = EndAsync(process);
        events = [.. Functions(options.App).Where(function => function.IsToldOfBlobs).Select(function =>
            new BlobEvents(new BlobServiceClient(options.Storage), new QueueServiceClient(options.Storage), function,
                logs.CreateLogger<BlobEvents>())
            {
                FinishedWhenTold = true,
            })];
        watching = [.. events.Select(told => told.RunAsync(address, stopping.Token))];
    }

    public Uri Address { get; }

    public Task Ended { get; }

    /// <exception cref="LocalCloudException"><c>func</c> is not installed, or does not start.</exception>
    public static async Task<CoreTools> StartAsync(LocalHostOptions options, CancellationToken cancellation)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        if (!folders.Any(folder => File.Exists(Path.Combine(folder, "func"))))
            throw LocalCloudException.WrongInput("--func: Azure Functions Core Tools are not installed: there is no program "
                + "func. npm install -g azure-functions-core-tools@4 installs them; "
                + "without --func the functions run under this project's own host.");
        Port.DemandFree(options.Port, "the functions", "--port");
        await options.StorageReady;
        var logs = LoggerFactory.Create(logging => LocalHost.LogTo(logging, options.Log));
        var output = logs.CreateLogger("func");
        var process = ChildProcess.Start("func", "func",
            ["start", "--script-root", options.App, "--port", $"{options.Port}", "--no-build"],
            new Dictionary<string, string>(options.AllSettings)
            {
                ["FUNCTIONS_WORKER_RUNTIME"] = "dotnet-isolated",
                ["AzureFunctionsWebHost__hostid"] = HostId.Value,
            },
            line => output.LogInformation("{Line}", line));
        var address = new Uri($"http://127.0.0.1:{options.Port}");
        try
        {
            await process.WaitUntilReadyAsync(
                new(address, "/api/health/live"), answer => answer.IsSuccessStatusCode, patience, cancellation);
            return new CoreTools(process, address, options, logs);
        }
        catch
        {
            await process.DisposeAsync();
            logs.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(watching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // What cannot be recorded is told once more by the next host.
        await Task.WhenAll(events.Select(told => told.RecordAsync(CancellationToken.None)))
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await process.StopAsync(grace);
        await process.DisposeAsync();
        logs.Dispose();
        stopping.Dispose();
    }

    static async Task EndAsync(ChildProcess process)
    {
        await process.WaitForExitAsync();
        throw process.Ended();
    }

    /// <summary>The functions as their build wrote them down.</summary>
    static IEnumerable<HostedFunction> Functions(string folder) => JArray.Parse(
        File.ReadAllText(Path.Combine(folder, "functions.metadata")))
        .Select(function => HostedFunction.Of(new RpcFunctionMetadata
        {
            Name = (string)function["name"]!,
            RawBindings = { function["bindings"]!.Select(binding => binding.ToString()) },
        }));
}
