using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace VaeFunctions.LocalCloud.Host;

/// <summary>The worker processes: starts them, starts one anew when it dies, stops them.</summary>
sealed class WorkerPool(LocalHostOptions options, ILoggerFactory logs) : IDisposable
{
    /// <summary>How often in a row a worker may fail to start, or end soon after it.</summary>
    const int Tries = 3;

    /// <summary>How long a worker may take until its functions are loaded, and a call may wait for one.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>A worker that ends sooner after it was ready counts as a failed start.</summary>
    static readonly TimeSpan Settled = TimeSpan.FromSeconds(10);

    readonly ConcurrentDictionary<string, WorkerSession> connecting = new();
    readonly ConcurrentDictionary<WorkerSession, ChildProcess> ready = new();
    readonly CancellationTokenSource stopping = new();
    readonly ILogger logger = logs.CreateLogger("Host.Workers");
    readonly Lock readiness = new();

    /// <summary>Done while a worker is ready. Replaced only when it is done, so that nobody waits for one that is
    /// forgotten.</summary>
    volatile TaskCompletionSource someReady = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Task[] watching = [];
    volatile bool served;

    /// <summary>The process ids of the workers that serve now.</summary>
    public IReadOnlyList<int> ProcessIds => [.. ready.Values.Select(process => process.Id)];

    /// <summary>Fails when one of the workers cannot be kept running.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    public WorkerSession? Find(string id) => connecting.GetValueOrDefault(id);

    /// <summary>Starts the workers and gives the first that is ready.</summary>
    /// <exception cref="LocalCloudException">None starts; the message has the last words of one.</exception>
    public async Task<WorkerSession> StartAsync(Uri endpoint, CancellationToken cancellation)
    {
        watching = [.. Enumerable.Range(0, options.Workers).Select(_ => WatchAsync(endpoint))];
        Ended = Task.WhenAny(watching).Unwrap();
        var first = ReadyAsync(cancellation);
        await await Task.WhenAny(first, Ended);
        return await first;
    }

    /// <summary>The worker that has least to do; waits where all of them are being started.</summary>
    /// <exception cref="LocalCloudException">None came in time.</exception>
    public async Task<WorkerSession> ReadyAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                var some = someReady.Task;
                if (ready.Keys.MinBy(session => session.Running) is { } session)
                    return session;
                await some.WaitAsync(Patience, cancellation);
            }
        }
        catch (TimeoutException)
        {
            throw new LocalCloudException(
                $"No worker of the functions was ready within {Patience.TotalSeconds:0} s; the host's log says why.");
        }
    }

    /// <summary>Asks the workers to end, and makes those end that have not within <paramref name="grace"/>.</summary>
    public async Task StopAsync(TimeSpan grace)
    {
        await stopping.CancelAsync();
        await Task.WhenAll(ready.ToArray().Select(async worker =>
        {
            worker.Key.Terminate(grace);
            var exit = worker.Value.WaitForExitAsync();
            if (await Task.WhenAny(exit, Task.Delay(grace)) == exit)
                return;
            logger.LogWarning(
                "Worker {Process} did not end within {Grace} s and is made to", worker.Value.Id, grace.TotalSeconds);
            await worker.Value.StopAsync(TimeSpan.FromSeconds(1));
        }));
        await Task.WhenAll(watching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => stopping.Dispose();

    /// <summary>Keeps one worker running.</summary>
    async Task WatchAsync(Uri endpoint)
    {
        for (var failures = 0; !stopping.IsCancellationRequested;)
        {
            var lived = new Stopwatch();
            try
            {
                await RunAsync(endpoint, onReady: () =>
                {
                    served = true;
                    lived.Start();
                });
                failures = lived.Elapsed < Settled ? failures + 1 : 0;
                if (!stopping.IsCancellationRequested)
                    logger.LogWarning("A worker ended; another is started");
            }
            catch (Exception fault) when (fault is LocalCloudException or WorkerLostException
                && !stopping.IsCancellationRequested)
            {
                // Where none has run yet, the settings are wrong, most likely: that is said at once.
                if (++failures >= Tries || !served)
                    throw new LocalCloudException($"The functions do not start. {fault.Message}");
                logger.LogError("A worker did not start, try {Try} of {Tries}: {Reason}", failures, Tries, fault.Message);
                await Task.Delay(TimeSpan.FromSeconds(failures), stopping.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            if (failures >= Tries && !stopping.IsCancellationRequested)
                throw new LocalCloudException(
                    $"The functions' worker ended {failures} times in a row soon after its start; the log says why.");
        }
    }

    /// <summary>The life of one worker.</summary>
    async Task RunAsync(Uri endpoint, Action onReady)
    {
        var clock = Stopwatch.StartNew();
        var session = new WorkerSession(logs);
        connecting[session.Id] = session;
        await using var process = Launch(endpoint, session.Id);
        _ = process.WaitForExitAsync().ContinueWith(_ => session.Lose(process.Ended().Message), TaskScheduler.Default);
        try
        {
            await session.InitializeAsync(options.App, Patience, stopping.Token);
            ready[session] = process;
            stopping.Token.ThrowIfCancellationRequested(); // a stop that looked at the ready ones before does not know this one
            onReady();
            lock (readiness)
                someReady.TrySetResult();
            logger.LogInformation("Worker {Process} is ready with {Count} functions after {Elapsed} ms", process.Id,
                session.Functions.Count, clock.ElapsedMilliseconds);
            await session.Ended;
        }
        finally
        {
            lock (readiness)
            {
                if (ready.TryRemove(session, out _) && ready.IsEmpty && someReady.Task.IsCompleted)
                    someReady = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            connecting.TryRemove(session.Id, out _);
        }
    }

    ChildProcess Launch(Uri endpoint, string id)
    {
        var request = Guid.NewGuid().ToString();
        var longest = $"{int.MaxValue}";
        var output = logs.CreateLogger("Worker");
        return ChildProcess.Start("The functions' worker", "dotnet",
            [
                // Each in an old and a new spelling, as Azure's host does.
                Path.Combine(options.App, Entry()), "--host", endpoint.Host, "--port", $"{endpoint.Port}", "--workerId", id,
                "--requestId", request,
                "--grpcMaxMessageLength", longest, "--functions-uri", $"{endpoint}", "--functions-worker-id", id,
                "--functions-request-id", request,
                "--functions-grpc-max-message-length", longest,
            ],
            new Dictionary<string, string>(options.AllSettings)
            {
                ["FUNCTIONS_WORKER_RUNTIME"] = "dotnet-isolated",
                ["FUNCTIONS_WORKER_DIRECTORY"] = options.App,
                ["FUNCTIONS_APPLICATION_DIRECTORY"] = options.App,
            },
            line => output.LogInformation("{Line}", line));
    }

    /// <summary>The program's file, as the functions' build wrote it down.</summary>
    string Entry()
    {
        using var description = JsonDocument.Parse(File.ReadAllText(Path.Combine(options.App, "worker.config.json")));
        return description.RootElement.GetProperty("description").GetProperty("defaultWorkerPath").GetString()!;
    }
}
