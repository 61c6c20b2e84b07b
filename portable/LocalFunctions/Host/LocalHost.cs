using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace VaeFunctions.LocalFunctions;

/// <summary>Runs a program's functions in this process: HTTP on loopback, blob and queue triggers by polling, timers.</summary>
/// <remarks>A set-up that cannot work ends the program with one clear line and exit code 2. On SIGTERM or Ctrl-C no new work is
/// taken, what runs may finish within <see cref="Grace"/>, and the exit code is 0.</remarks>
sealed class LocalHost(WebApplication app, Assembly assembly, FunctionPipeline pipeline) : IHost, IAsyncDisposable
{
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    readonly ILogger logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Host");
    readonly CancellationTokenSource stopping = new();
    readonly CancellationTokenSource aborting = new();
    Task triggers = Task.CompletedTask;

    public static LocalHost Build(WebApplicationBuilder web, Assembly functions, IEnumerable<Func<FunctionExecutionDelegate, FunctionExecutionDelegate>> middleware)
    {
        web.Services.Configure<HostOptions>(options => options.ShutdownTimeout = Grace);
        try
        {
            return new LocalHost(web.Build(), functions, new FunctionPipeline(middleware));
        }
        catch (OptionsValidationException fault)
        {
            throw Refuse(fault.Message);
        }
    }

    public IServiceProvider Services => app.Services;

    /// <summary>Where HTTP functions answer, once started.</summary>
    public ICollection<string> Addresses => app.Urls;

    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await StartTriggersAsync(cancellationToken);
        }
        catch (Exception fault) when (fault is HostSetupException or OptionsValidationException)
        {
            throw Refuse(fault.Message);
        }
        catch (IOException fault) when (fault.InnerException is AddressInUseException)
        {
            throw Refuse($"Port {Port} is in use. Stop the program that holds it, or choose another with --port or FUNCTIONS_PORT.");
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        await stopping.CancelAsync();
        aborting.CancelAfter(Grace);
        await Task.WhenAll(app.StopAsync(cancellationToken), triggers);
        logger.LogInformation("Stopped");
    }

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        stopping.Dispose();
        aborting.Dispose();
    }

    string Port => app.Configuration["port"] ?? app.Configuration["FUNCTIONS_PORT"] ?? "7071";

    async Task StartTriggersAsync(CancellationToken cancellation)
    {
        var settings = HostSettings.Read(Path.Combine(AppContext.BaseDirectory, "host.json"));
        var functions = FunctionMethod.FindAll(assembly);
        var http = new HttpTriggers(pipeline, logger);
        http.Map(app, functions, settings.Extensions.Http.RoutePrefix);
        var blobs = functions.Where(function => function.Trigger is BlobTriggerAttribute)
            .Select(function => BlobTrigger.Create(function, pipeline, app.Services, settings.Extensions.Blobs, logger)).ToList();
        var queues = functions.Where(function => function.Trigger is QueueTriggerAttribute)
            .Select(function => QueueTrigger.Create(function, pipeline, app.Services, settings.Extensions.Queues, logger)).OfType<QueueTrigger>().ToList();
        var timers = functions.Where(function => function.Trigger is TimerTriggerAttribute)
            .Select(function => TimerTrigger.Create(function, pipeline, app.Services, logger)).ToList();

        app.Urls.Clear();
        app.Urls.Add(Address());
        await app.StartAsync(cancellation);

        foreach (var route in http.Routes)
            logger.LogInformation("{Route}", route);
        foreach (var blob in blobs)
            logger.LogInformation("Watching {Pattern}", blob.Pattern);
        foreach (var queue in queues)
            logger.LogInformation("Watching queue {Queue}", queue.Name);
        logger.LogInformation("Listening on {Address}", string.Join(", ", app.Urls));
        triggers = Task.WhenAll([
            .. blobs.Select(blob => blob.RunAsync(stopping.Token, aborting.Token)),
            .. queues.Select(queue => queue.RunAsync(stopping.Token, aborting.Token)),
            .. timers.Select(timer => timer.RunAsync(stopping.Token, aborting.Token))]);
    }

    string Address()
    {
        if (!ushort.TryParse(Port, out var port))
            throw new HostSetupException($"The port is \"{Port}\"; give 1 to 65535, or 0 for any free one, with --port or FUNCTIONS_PORT.");
        return port == 0 ? "http://127.0.0.1:0" : $"http://localhost:{port}";
    }

    static HostSetupException Refuse(string reason)
    {
        Console.Error.WriteLine(reason);
        Environment.Exit(2);
        return new HostSetupException(reason); // for the compiler
    }
}
