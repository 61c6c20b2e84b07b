using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Azure;
using Azure.Identity;
using Azure.Storage.Blobs;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace VaeFunctions.LocalFunctions;

/// <summary>Lists a container again and again and runs a function for each content it has not yet seen.</summary>
/// <remarks>A blob that fails is tried again, later each time, until host.json's poisonBlobThreshold; then it is set aside.
/// One host at a time: two on the same storage would each process every blob.</remarks>
sealed class BlobTrigger
{
    static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(100), Idle = TimeSpan.FromSeconds(1), Longest = TimeSpan.FromSeconds(30);

    readonly FunctionMethod function;
    readonly FunctionPipeline pipeline;
    readonly IServiceProvider services;
    readonly BlobSettings settings;
    readonly ILogger logger;
    readonly BlobPattern pattern;
    readonly BlobContainerClient container;
    readonly BlobReceipts receipts;

    // Contents that failed, and when to try again; and those done whose receipt could not be written yet.
    readonly ConcurrentDictionary<UInt128, (int Failures, DateTime Due)> failed = new();
    readonly ConcurrentDictionary<UInt128, bool> unwritten = new();

    BlobTrigger(FunctionMethod function, BlobPattern pattern, BlobServiceClient service, FunctionPipeline pipeline,
        IServiceProvider services, BlobSettings settings, ILogger logger)
    {
        (this.function, this.pattern, this.pipeline, this.services, this.settings, this.logger) =
            (function, pattern, pipeline, services, settings, logger);
        container = service.GetBlobContainerClient(pattern.Container);
        receipts = new BlobReceipts(service, function.Name);
    }

    public string Pattern => pattern.Text;

    /// <exception cref="HostSetupException">Pattern, parameter or connection cannot work.</exception>
    public static BlobTrigger Create(FunctionMethod function, FunctionPipeline pipeline, IServiceProvider services, BlobSettings settings, ILogger logger)
    {
        var attribute = (BlobTriggerAttribute)function.Trigger;
        var configuration = services.GetRequiredService<IConfiguration>();
        if (!BlobParameter.CanBind(function.TriggerParameter.ParameterType))
            throw new HostSetupException($"Function {function.Name}: a blob cannot be given as {function.TriggerParameter.ParameterType.Name}; {BlobParameter.Kinds}.");
        var pattern = new BlobPattern(function.Name, function.Expand(attribute.BlobPath, configuration));
        return new BlobTrigger(function, pattern, Connect(function.Name, attribute.Connection ?? "AzureWebJobsStorage", configuration), pipeline, services, settings, logger);
    }

    /// <summary>Polls until <paramref name="stopping"/>; what then runs may end until <paramref name="aborting"/>.</summary>
    public async Task RunAsync(CancellationToken stopping, CancellationToken aborting)
    {
        var (loaded, faults, wait) = (false, 0, Soon);
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (!loaded)
                {
                    await container.CreateIfNotExistsAsync(cancellationToken: stopping);
                    await receipts.LoadAsync(stopping);
                    loaded = true;
                }
                var started = DateTime.UtcNow;
                var worked = await ScanAsync(stopping, aborting);
                // Idle polls get rarer, and a long listing is not asked for more than a third of the time.
                var idle = TimeSpan.FromTicks(Math.Max(Math.Min(2 * wait.Ticks, Idle.Ticks), 2 * (DateTime.UtcNow - started).Ticks));
                wait = worked ? Soon : idle;
                if (faults > 0)
                    logger.LogInformation("{Function}: the storage at {Address} answers again", function.Name, container.Uri);
                faults = 0;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                break;
            }
            catch (Exception fault)
            {
                wait = TimeSpan.FromSeconds(Math.Min(Math.Pow(2, faults++), Longest.TotalSeconds));
                logger.LogWarning("{Function}: the storage at {Address} fails, trying again in {Seconds} s: {Reason}",
                    function.Name, container.Uri, wait.TotalSeconds, Innermost(fault).Message.Split('\n')[0]);
            }
            await Task.Delay(wait, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task<bool> ScanAsync(CancellationToken stopping, CancellationToken aborting)
    {
        var worked = 0;
        var options = new ParallelOptions { MaxDegreeOfParallelism = settings.MaxDegreeOfParallelism, CancellationToken = stopping };
        await Parallel.ForEachAsync(ListNewAsync(stopping), options, async (blob, _) =>
        {
            Interlocked.Increment(ref worked);
            await ProcessAsync(blob, aborting);
        });
        return worked > 0;
    }

    async IAsyncEnumerable<NewBlob> ListNewAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var listed = new HashSet<UInt128>();
        await foreach (var blob in container.GetBlobsAsync(prefix: pattern.Prefix is "" ? null : pattern.Prefix, cancellationToken: cancellation))
        {
            if (pattern.Match(blob.Name) is not { } data || blob.Properties.ETag is not { } etag)
                continue;
            var key = BlobReceipts.Key($"{pattern.Container}/{blob.Name}", etag);
            listed.Add(key);
            if (!receipts.Contains(key) && !(failed.TryGetValue(key, out var failure) && failure.Due > DateTime.UtcNow))
                yield return new NewBlob(key, blob.Name, etag, data);
        }
        if (receipts.Count > listed.Count)
            await receipts.SweepAsync(listed, cancellation);
        foreach (var gone in failed.Keys.Where(key => !listed.Contains(key)))
            failed.TryRemove(gone, out _);
    }

    /// <summary>Runs the function for one content; only a storage that keeps no receipt makes this throw.</summary>
    async Task ProcessAsync(NewBlob blob, CancellationToken aborting)
    {
        if (!unwritten.ContainsKey(blob.Key))
        {
            try
            {
                await InvokeAsync(blob, aborting);
            }
            catch (OperationCanceledException) when (aborting.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                if (!await SetAsideAsync(blob, fault, aborting))
                    return;
            }
            unwritten[blob.Key] = true;
        }
        await receipts.AddAsync(blob.Key, $"{pattern.Container}/{blob.Name}", blob.ETag, aborting);
        unwritten.TryRemove(blob.Key, out _);
        failed.TryRemove(blob.Key, out _);
    }

    async Task InvokeAsync(NewBlob blob, CancellationToken aborting)
    {
        await using var scope = services.CreateAsyncScope();
        blob.Data["BlobTrigger"] = $"{pattern.Container}/{blob.Name}";
        var parameter = await BlobParameter.BindAsync(container.GetBlobClient(blob.Name), function.TriggerParameter.ParameterType, aborting);
        try
        {
            await pipeline.RunAsync(function, parameter, blob.Data, scope.ServiceProvider, null, aborting);
        }
        finally
        {
            (parameter as IDisposable)?.Dispose();
        }
    }

    /// <summary>Whether a failure was the last; before that, the next try is planned.</summary>
    async Task<bool> SetAsideAsync(NewBlob blob, Exception fault, CancellationToken aborting)
    {
        var failures = failed.TryGetValue(blob.Key, out var before) ? before.Failures + 1 : 1;
        var path = $"{pattern.Container}/{blob.Name}";
        if (failures < settings.PoisonBlobThreshold)
        {
            var delay = TimeSpan.FromSeconds(Math.Min(Math.Pow(2, failures - 1), Longest.TotalSeconds));
            failed[blob.Key] = (failures, DateTime.UtcNow + delay);
            logger.LogWarning(fault, "{Function} failed for {Path}, try {Try} of {Tries}", function.Name, path, failures, settings.PoisonBlobThreshold);
            return false;
        }
        logger.LogError(fault, "{Function} failed for {Path} {Tries} times and gives up; see azure-webjobs-hosts/poison/{Function}/", function.Name, path, failures, function.Name);
        await receipts.AddPoisonAsync(blob.Key, pattern.Container, blob.Name, blob.ETag, fault, aborting);
        return true;
    }

    static BlobServiceClient Connect(string function, string setting, IConfiguration configuration)
    {
        try
        {
            if (configuration[setting] is { Length: > 0 } connection)
                return new BlobServiceClient(connection);
            if (configuration[$"{setting}:blobServiceUri"] is { Length: > 0 } address)
                return new BlobServiceClient(new Uri(address), new DefaultAzureCredential());
        }
        catch (FormatException fault)
        {
            throw new HostSetupException($"Function {function}: the setting {setting} is no connection string, or {setting}__blobServiceUri no address: {fault.Message}", fault);
        }
        throw new HostSetupException($"Function {function} needs storage: set {setting} to a connection string, or {setting}__blobServiceUri to an account's address.");
    }

    static Exception Innermost(Exception fault) =>
        fault is AggregateException { InnerExceptions: [.., var last] } ? Innermost(last) : fault;

    sealed record NewBlob(UInt128 Key, string Name, ETag ETag, Dictionary<string, object?> Data);
}
