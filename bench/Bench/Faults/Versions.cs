using System.Text;
using System.Text.Json;
using VaeFunctions.Registry;
using VaeFunctions.Tests;

namespace VaeFunctions.Bench.Faults;

/// <summary>Two publishers race for a model's pointer, and roll back, while somebody watches what serves: never a version that is
/// not whole, nor one that answers otherwise than it was published.</summary>
/// <param name="random">Decides who rolls back.</param>
sealed class Versions(Cloud cloud, string model, int round, RandomStream random, Journal journal) : IWork
{
    /// <summary>What is decoded to see which version answers: mid-grey, give or take what makes rounding sure.</summary>
    static readonly Picture probe = new(100, 100, 100, 100);

    static readonly TimeSpan look = TimeSpan.FromSeconds(0.5);

    readonly ModelRegistry registry = new(cloud.Store);
    readonly HashSet<string> whole = [];
    readonly List<string> wrong = [];
    int lostRaces;

    /// <summary>Publishes what serves before the first round.</summary>
    public static Task PublishFirstAsync(IBlobStore store, string model) =>
        TinyModel.ServeAsync(new ModelRegistry(store), model, "r0000-0", decoder: Picture.Decoder(0));

    public async Task RunAsync(CancellationToken cancellation)
    {
        using var published = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var watching = WatchAsync(published.Token);
        var (rollBack, brightness) = (random.NextInt(3) == 0, random.NextInt(4));
        await Task.WhenAll(PublishAsync("a", brightness + 1), PublishAsync("b", brightness + 2));
        journal.Fault("two publishers race", $"{lostRaces} times the pointer had moved meanwhile");
        if (rollBack)
            await DecideAsync((own, _) => own.RollbackAsync(model, cancellation: cancellation));
        await Task.Delay(TimeSpan.FromSeconds(2), cancellation); // the watcher sees what serves now
        await published.CancelAsync();
        await watching;

        async Task PublishAsync(string who, int brighter)
        {
            var version = $"r{round:0000}-{who}-{brighter}";
            var own = new ModelRegistry(BlobStores.Open(cloud.Publishers.ConnectionString));
            await Stubborn.DoAsync(
                () => TinyModel.PublishAsync(own, model, version, decoder: Picture.Decoder(brighter)), cancellation);
            await DecideAsync((registry, seen) => registry.PromoteAsync(model, version, "a race", seen, cancellation));
        }

        // Whoever finds that the pointer moved looks at it and decides anew.
        async Task DecideAsync(Func<ModelRegistry, CurrentPointer?, Task> move)
        {
            var own = new ModelRegistry(BlobStores.Open(cloud.Publishers.ConnectionString));
            for (var moved = false; !moved;)
            {
                await Stubborn.DoAsync(async () =>
                {
                    try
                    {
                        await move(own, await own.ReadCurrentAsync(model, cancellation));
                        moved = true;
                    }
                    catch (PointerMovedException)
                    {
                        Interlocked.Increment(ref lostRaces);
                    }
                }, cancellation);
            }
        }
    }

    public async Task<IReadOnlyList<string>> LackingAsync(CancellationToken cancellation)
    {
        lock (wrong)
            if (wrong.Count > 0)
                return [.. wrong];
        if (await registry.ReadCurrentAsync(model, cancellation) is not { } pointer)
            return [$"no version of {model} serves"];
        var (version, fault) = await AskAsync(cancellation);
        return fault is not null ? [fault]
            : version is null ? ["nobody answers"]
            : version != pointer.Version ? [$"{version} answers, and the pointer is at {pointer.Version}"] : [];
    }

    /// <summary>Versions that no rollback goes back to any more are deleted; the pointer knows the last 20.</summary>
    public async Task ClearAsync(CancellationToken cancellation)
    {
        var oldest = $"r{Math.Max(0, round - 30):0000}";
        await foreach (var folder in cloud.Store.ListFoldersAsync($"models/{model}/", cancellation))
        {
            if (string.CompareOrdinal(folder, oldest) < 0
                && (await registry.ReadCurrentAsync(model, cancellation))!.Version != folder)
                await cloud.Store.ClearAsync($"models/{model}/{folder}/", cancellation);
        }
    }

    async Task WatchAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                if ((await AskAsync(cancellation)).Fault is { } fault)
                    lock (wrong)
                        wrong.Add(fault);
            }
            catch (Exception down) when (
                down is StorageException or HttpRequestException or OperationCanceledException or IOException)
            {
                // that nobody answers while something is down is no fault of the version
            }
            await Task.Delay(look, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>The version that answers, and what is wrong with it or with its answer.</summary>
    async Task<(string? Version, string? Fault)> AskAsync(CancellationToken cancellation)
    {
        var latent = Enumerable.Repeat(probe.First / 255f - 0.5f, TinyModel.Latents);
        var json = JsonSerializer.Serialize(new { latents = new[] { latent } });
        using var body = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await cloud.Http.PostAsync($"models/{model}/decode", body, cancellation);
        if (!answer.IsSuccessStatusCode)
            return (null, null);
        var version = answer.Headers.GetValues("X-Version").Single();
        if (!probe.IsDecoded(await answer.Content.ReadAsByteArrayAsync(cancellation), version))
            return (version, $"{version} serves and decodes otherwise than it was published");
        if (whole.Contains(version))
            return (version, null);
        try
        {
            var manifest = await registry.ReadManifestAsync(model, version, cancellation);
            foreach (var file in manifest.Files)
                await registry.ReadFileAsync(manifest, file.Name, cancellation);
        }
        catch (RegistryException fault)
        {
            return (version, $"{version} serves and is not whole: {fault.Message}");
        }
        whole.Add(version);
        return (version, null);
    }
}
