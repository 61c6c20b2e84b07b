#pragma warning disable CS0618 // Marked "not ready for public consumption": the seams that Azure's own host uses.
using System.Globalization;
using System.Net;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.WebJobs;
using Microsoft.Azure.WebJobs.Extensions.Timers;
using Microsoft.Azure.WebJobs.Host;
using Microsoft.Azure.WebJobs.Host.Config;
using Microsoft.Azure.WebJobs.Host.Executors;
using Microsoft.Azure.WebJobs.Host.Timers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NCrontab;
using VaeFunctions.Registry;

namespace VaeFunctions.LocalCloud.Host;

/// <summary>What a local host is started with.</summary>
sealed record LocalHostOptions
{
    /// <summary>The folder that the functions were built into.</summary>
    public required string App { get; init; }

    /// <summary>Where the functions listen; 0 takes any port that is free.</summary>
    public int Port { get; init; }

    /// <summary>How many worker processes share the work, at least 1.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>The storage account, as a connection string, of functions and host.</summary>
    public required string Storage { get; init; }

    /// <summary>Completes when the storage answers and has what is to be served; the workers start meanwhile.</summary>
    public Task StorageReady { get; init; } = Task.CompletedTask;

    /// <summary>After how long a blob that was told of, and that its function has not finished, is told of once more.</summary>
    public TimeSpan BlobSilence { get; init; } = BlobEvents.UsualSilence;

    /// <summary>Settings of the functions, as their environment spells them, besides those that every deployment has.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>The settings with what a deployment's template gives.</summary>
    public IReadOnlyDictionary<string, string> AllSettings => new Dictionary<string, string>(Settings)
    {
        [BlobStores.Setting] = Storage,
        ["AzureWebJobsStorage"] = Storage,
        [RecoverySchedule] = Settings.GetValueOrDefault(RecoverySchedule) ?? Environment.GetEnvironmentVariable(RecoverySchedule)
            ?? "0 * * * * *",
    };

    const string RecoverySchedule = "VaeJobRecoverySchedule";

    /// <exception cref="LocalCloudException">The port is in use, or the schedule is none.</exception>
    public void Check()
    {
        if (Port != 0)
            LocalCloud.Port.DemandFree(Port, "the functions", "--port");
        if (!IsSchedule(AllSettings[RecoverySchedule]))
        {
            throw LocalCloudException.WrongInput(
                $"{RecoverySchedule} is '{AllSettings[RecoverySchedule]}', which is no schedule. "
                + "Write second, minute, hour, day, month and day of the week, such as 0 0 */6 * * *");
        }

        // What the timers' listener takes: with seconds or without, or the time between two runs.
        static bool IsSchedule(string text) => TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out _)
            || CrontabSchedule.TryParse(text, new() { IncludingSeconds = text.Trim().Split(' ').Length > 5 }) is not null;
    }

    /// <summary>Where the host keeps what it must know after a restart: when timers ran last.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Where host and workers log to.</summary>
    public required TextWriter Log { get; init; }
}

/// <summary>The Azure Functions host of one machine.</summary>
/// <remarks>
/// The functions run in the very process that Azure's host starts, which speaks FunctionRpc (gRPC) with its host. HTTP requests
/// are forwarded to that process. Blobs, queues and timers are listened to by Microsoft's WebJobs SDK, on which Azure's host is
/// built: leases, receipts, retries and poison queues are its.
/// </remarks>
sealed class LocalHost : IFunctionsHost
{
    /// <summary>How long functions may go on after a stop.</summary>
    static readonly TimeSpan grace = TimeSpan.FromSeconds(10);

    readonly WebApplication rpc;
    readonly WorkerPool workers;
    readonly CancellationTokenSource stopping = new();
    readonly List<Task> telling = [];
    List<BlobEvents> events = [];
    WebApplication? front;
    IHost? listeners;

    LocalHost(WebApplication rpc) => (this.rpc, workers) = (rpc, rpc.Services.GetRequiredService<WorkerPool>());

    /// <summary>Where the functions answer.</summary>
    public Uri Address { get; private set; } = null!;

    public IReadOnlyList<int> WorkerProcesses => workers.ProcessIds;

    /// <summary>Fails when the functions cannot be kept running.</summary>
    public Task Ended => workers.Ended;

    /// <summary>Starts workers, then listens to requests, blobs, messages and timers.</summary>
    /// <exception cref="LocalCloudException">The port is in use, the functions do not start, or a setting or host.json makes
    /// no sense.</exception>
    public static async Task<LocalHost> StartAsync(LocalHostOptions options, CancellationToken cancellation)
    {
        options.Check(); // before listeners take messages
        var host = new LocalHost(BuildRpc(options));
        try
        {
            await host.rpc.StartAsync(cancellation);
            var worker = await host.workers.StartAsync(new Uri(host.rpc.Urls.First()), cancellation);
            await options.StorageReady;
            await host.ServeAsync(options, [.. worker.Functions.Select(HostedFunction.Of)], cancellation);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Listeners stop and what runs ends, then the workers end, then their connection.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(telling).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await StopServingAsync();
        await workers.StopAsync(grace);
        await rpc.StopAsync(CancellationToken.None);
        await rpc.DisposeAsync();
        stopping.Dispose();
    }

    /// <summary>Where the storage is gone the listeners cannot let go of their locks there, which throws, or takes longer than
    /// anybody wants to wait; the workers are stopped all the same.</summary>
    async Task StopServingAsync()
    {
        if (front is null)
            return;
        var logger = front.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Host");
        try
        {
            await StopAsync().WaitAsync(2 * grace);
        }
        catch (Exception fault)
        {
            logger.LogWarning("The listeners did not stop in order: {Reason}", fault.Message.Split('\n')[0]);
        }

        async Task StopAsync()
        {
            await using (front)
            using (listeners)
            {
                await front.StopAsync(CancellationToken.None);
                await (listeners?.StopAsync(CancellationToken.None) ?? Task.CompletedTask);
            }
            foreach (var told in events)
                await told.RecordAsync(CancellationToken.None);
        }
    }

    /// <summary>The workers' side: gRPC on a port of its own.</summary>
    public static WebApplication BuildRpc(LocalHostOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        LogTo(builder.Logging, options.Log);
        builder.WebHost.ConfigureKestrel(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listener => listener.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc(grpc => (grpc.MaxReceiveMessageSize, grpc.MaxSendMessageSize) = (null, null));
        builder.Services.AddSingleton(options).AddSingleton<WorkerPool>();
        var app = builder.Build();
        app.MapGrpcService<FunctionRpcService>();
        return app;
    }

    /// <summary>Answers HTTP first, which people wait for, and then sets up the listeners.</summary>
    async Task ServeAsync(LocalHostOptions options, IReadOnlyList<HostedFunction> functions, CancellationToken cancellation)
    {
        var hostJson = ReadHostJson(options.App);
        var hook = new EventGridHook();
        front = BuildFront(options);
        front.UseRouting();
        front.Services.GetRequiredService<HttpFront>().Map(front, hostJson["extensions:http:routePrefix"] ?? "api", functions);
        front.Map(EventGridHook.Route, hook.HandleAsync);
        await front.StartAsync(cancellation);
        Address = new Uri(front.Urls.First());

        listeners = BuildListeners(options, hostJson, functions, hook);
        await RecoverAsync(listeners.Services, cancellation);
        await listeners.StartAsync(cancellation);
        telling.AddRange(events.Select(told => told.RunAsync(Address, stopping.Token)));
    }

    /// <summary>The public side: HTTP, forwarded to the workers.</summary>
    WebApplication BuildFront(LocalHostOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        LogTo(builder.Logging, options.Log);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null; // the functions have a limit of their own
            kestrel.Listen(IPAddress.Loopback, options.Port);
        });
        builder.Services.AddHttpForwarder();
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(workers).AddSingleton<HttpFront>();
        return builder.Build();
    }

    /// <summary>The SDK's listeners to blobs, messages and timers.</summary>
    IHost BuildListeners(
        LocalHostOptions options, IConfigurationRoot hostJson, IReadOnlyList<HostedFunction> functions, EventGridHook hook) =>
        new HostBuilder()
            .ConfigureLogging(logging => LogTo(logging, options.Log))
            // host.json's settings, and with them those that the environment gives as AzureFunctionsJobHost__…
            .ConfigureAppConfiguration(configuration => configuration
                .AddInMemoryCollection(hostJson.AsEnumerable().Where(setting => setting.Value is not null).Select(
                    setting => KeyValuePair.Create($"AzureFunctionsJobHost:{setting.Key}", setting.Value)))
                .AddInMemoryCollection([new("AzureWebJobsConfigurationSection", "AzureFunctionsJobHost")])
                .AddEnvironmentVariables()
                .AddInMemoryCollection(options.AllSettings.Select(setting => KeyValuePair.Create(
                    setting.Key.Replace("__", ":", StringComparison.Ordinal), (string?)setting.Value))))
            .ConfigureWebJobs(jobs => jobs
                .AddExecutionContextBinding()
                .AddAzureStorageCoreServices()
                .AddAzureStorageBlobs()
                .AddAzureStorageQueues()
                .AddTimers(), _ => { })
            .ConfigureServices(services => services
                .AddSingleton(options).AddSingleton(workers).AddSingleton(functions)
                .AddSingleton<WorkerInvoker>().AddSingleton<HeldMessages>()
                .AddSingleton<IReadOnlyList<BlobEvents>>(provider => events = [.. functions
                    .Where(function => function.IsToldOfBlobs)
                    .Select(function => new BlobEvents(
                        new BlobServiceClient(options.Storage), new QueueServiceClient(options.Storage), function,
                        provider.GetRequiredService<ILogger<BlobEvents>>()) { Silence = options.BlobSilence })])
                // A storage that is down at the start is tried again while HTTP is answered.
                .Configure<JobHostOptions>(host => host.AllowPartialHostStartup = true)
                .AddSingleton<IWebHookProvider>(hook)
                .AddSingleton<ITypeLocator, TriggerTypes>()
                .AddSingleton<IJobActivator, TriggeredFunctions.Activator>()
                .AddSingleton<IHostIdProvider, HostId>()
                .AddSingleton<IWebJobsExceptionHandlerFactory, ListenerFaults>()
                // The extension's own monitor is built on a storage library that does not run with invariant globalization.
                .Replace(ServiceDescriptor.Singleton<ScheduleMonitor>(_ => new FileSystemScheduleMonitor(
                    Directory.CreateDirectory(Path.Combine(options.DataFolder, "timers")).FullName))))
            .Build();

    /// <summary>Takes up what an earlier host left when it was killed. Where the storage is down, blobs are recalled later, and
    /// messages come back by themselves.</summary>
    static async Task RecoverAsync(IServiceProvider services, CancellationToken cancellation)
    {
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("Host");
        try
        {
            await services.GetRequiredService<HeldMessages>().GiveBackAsync(cancellation);
            foreach (var told in services.GetRequiredService<IReadOnlyList<BlobEvents>>())
                await told.RecallAsync(cancellation);
        }
        catch (Exception fault) when (!cancellation.IsCancellationRequested)
        {
            logger.LogWarning("What an earlier host left cannot be learnt of yet: {Reason}", fault.Message.Split('\n')[0]);
        }
    }

    static IConfigurationRoot ReadHostJson(string folder)
    {
        var path = Path.Combine(folder, "host.json");
        try
        {
            return new ConfigurationBuilder().AddJsonFile(path).Build();
        }
        catch (Exception fault) when (fault is InvalidDataException or IOException)
        {
            throw new LocalCloudException($"{path} cannot be read: {fault.InnerException?.Message ?? fault.Message}");
        }
    }

    /// <summary>Host and workers in one log, without the frameworks' own chatter.</summary>
    public static void LogTo(ILoggingBuilder logging, TextWriter log) => logging
        .ClearProviders()
        .AddProvider(new TextLog(log))
        .AddFilter("Microsoft.AspNetCore", LogLevel.Warning)
        .AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning)
        .AddFilter("Yarp", LogLevel.Warning)
        .AddFilter("Grpc", LogLevel.Warning)
        .AddFilter("Azure", LogLevel.Error) // a blob that is not there is no warning
        .AddFilter("Microsoft.Azure.WebJobs.Hosting", LogLevel.Warning)
        .AddFilter("Host.Results", LogLevel.None)
        .AddFilter("Host.Aggregator", LogLevel.None);
}
