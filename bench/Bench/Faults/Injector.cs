using VaeFunctions.Tests;

namespace VaeFunctions.Bench.Faults;

/// <summary>Lets things go wrong with the cloud, one after another, chosen by a seed.</summary>
sealed class Injector(Cloud cloud, RandomStream random, Journal journal)
{
    /// <summary>A host gives up a worker that ends three times in a row so soon after its start.</summary>
    static readonly TimeSpan settled = TimeSpan.FromSeconds(10);

    DateTime lastKill;
    string last = "";

    /// <summary>One fault, from its beginning until what was down is up again.</summary>
    public async Task InjectAsync(CancellationToken cancellation)
    {
        (string Kind, Func<CancellationToken, Task<string?>> Do)[] kinds =
        [
            ("worker killed −9", KillWorkerAsync),
            ("worker stands still", FreezeWorkerAsync),
            ("host killed −9", stop => RestartHostAsync(kill: true, stop)),
            ("host stopped", stop => RestartHostAsync(kill: false, stop)),
            ("storage killed −9", KillStorageAsync),
            ("storage stopped", StopStorageAsync),
            ("storage stands still", FreezeStorageAsync),
            ("storage answers 503", stop => FailAsync(Fault.Busy, stop)),
            ("storage answers 500", stop => FailAsync(Fault.Error, stop)),
            ("storage answers 409", stop => FailAsync(Fault.Conflict, stop)),
            ("storage is slow", stop => FailAsync(Fault.Slow, stop)),
            ("storage cuts bodies", stop => FailAsync(Fault.Cut, stop)),
            ("storage answers half", stop => FailAsync(Fault.Half, stop)),
            ("storage breaks off", stop => FailAsync(Fault.Break, stop)),
        ];
        while (true)
        {
            var (kind, doIt) = kinds[random.NextInt(kinds.Length)];
            if (kind == last || await doIt(cancellation) is not { } detail)
                continue;
            last = kind;
            journal.Fault(kind, detail);
            return;
        }
    }

    Task<string?> KillWorkerAsync(CancellationToken cancellation)
    {
        if (DateTime.UtcNow - lastKill < settled || !cloud.KillWorker())
            return Task.FromResult<string?>(null);
        lastKill = DateTime.UtcNow;
        return Task.FromResult<string?>("");
    }

    async Task<string?> FreezeWorkerAsync(CancellationToken cancellation)
    {
        if (cloud.Workers is not [var worker, ..])
            return null;
        var time = Seconds(0.5, 3);
        await Cloud.FreezeAsync(worker, time);
        return $"for {time.TotalSeconds:F1} s";
    }

    async Task<string?> RestartHostAsync(bool kill, CancellationToken cancellation)
    {
        var pause = Seconds(0, 1);
        await cloud.RestartHostAsync(kill, pause, cancellation);
        return $"up again after {pause.TotalSeconds:F1} s";
    }

    async Task<string?> KillStorageAsync(CancellationToken cancellation)
    {
        var pause = Seconds(0, 1);
        await cloud.KillStorageAsync(pause, cancellation);
        return $"up again after {pause.TotalSeconds:F1} s";
    }

    async Task<string?> StopStorageAsync(CancellationToken cancellation)
    {
        var pause = Seconds(0, 2);
        await cloud.StopStorageAsync(pause, cancellation);
        return $"up again after {pause.TotalSeconds:F1} s";
    }

    async Task<string?> FreezeStorageAsync(CancellationToken cancellation)
    {
        var time = Seconds(0.5, 3);
        await cloud.FreezeStorageAsync(time);
        return $"for {time.TotalSeconds:F1} s";
    }

    /// <summary>For a while, every so many requests of functions and publishers fail.</summary>
    async Task<string?> FailAsync(Fault fault, CancellationToken cancellation)
    {
        var (time, every, failed) = (Seconds(0.5, 2.5), 1 + random.NextInt(4), 0);
        var asked = 0;
        foreach (var proxy in (FaultProxy[])[cloud.Functions, cloud.Publishers])
        {
            proxy.Decide = (_, path) =>
            {
                // Of a listing or a queue a half with a length that agrees is no document, which no storage sends.
                if (Interlocked.Increment(ref asked) % every != 0 || (fault == Fault.Half && !IsBlob(path)))
                    return Fault.None;
                Interlocked.Increment(ref failed);
                return fault;
            };
        }
        await Task.Delay(time, cancellation);
        cloud.Functions.Decide = cloud.Publishers.Decide = (_, _) => Fault.None;
        return $"{failed} of {asked} requests in {time.TotalSeconds:F1} s";
    }

    static bool IsBlob(string path) => path.Contains('/') && !path.Contains("/messages", StringComparison.Ordinal);

    TimeSpan Seconds(double least, double most) => TimeSpan.FromSeconds(least + random.NextDouble() * (most - least));
}
