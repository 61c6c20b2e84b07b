using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using VaeFunctions.Latent;
using VaeFunctions.Models;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Gives out the version of each model that its current.json points to.</summary>
/// <remarks>
/// A model is loaded when it is first asked for. When its pointer moves, the new version is loaded beside the old one, verified
/// and run once, and only then takes its place; while it fails the old one keeps serving. A bad read or a file that is mended
/// need no promotion: what failed is tried again, ever more rarely.
/// </remarks>
public sealed class ModelProvider(
    ModelRegistry registry, IOptions<ServingOptions> options, ServingMetrics metrics, ILogger<ModelProvider> logger) : IDisposable
{
    static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    readonly ConcurrentDictionary<string, Slot> slots = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, Lazy<Task>> following = new(StringComparer.Ordinal);
    readonly CancellationTokenSource disposed = new();
    readonly SemaphoreSlim loading = new(Environment.ProcessorCount);

    /// <summary>The models that were asked for and exist, with the version that serves here and why a newer one does
    /// not.</summary>
    public IEnumerable<ModelState> States => slots.OrderBy(slot => slot.Key, StringComparer.Ordinal)
        .Select(slot => new ModelState(slot.Key, slot.Value.Session?.Version, slot.Value.Refusal));

    /// <summary>The manifest of the version that serves here, as it was loaded; null where none does.</summary>
    public Manifest? ManifestOf(string model) => slots.TryGetValue(model, out var slot) ? slot.Session?.Manifest : null;

    /// <summary>The serving version of a model, to be disposed after use.</summary>
    /// <exception cref="RequestException">404: there is no such model.</exception>
    /// <exception cref="ModelUnavailableException">Its version cannot be used and there is no older one.</exception>
    /// <exception cref="StorageException">It is not loaded yet and the storage does not answer.</exception>
    public async Task<ModelSession> LeaseAsync(string model, CancellationToken cancellation)
    {
        if (!ModelRegistry.IsModelName(model))
            throw await UnknownAsync(model, cancellation);
        if (TryLease(model) is { } ready)
            return ready;
        await FollowAsync(model, cancellation);
        if (TryLease(model) is { } loaded)
            return loaded;
        throw slots.TryGetValue(model, out var slot) && slot.Refusal is { } reason
            ? new ModelUnavailableException(reason)
            : await UnknownAsync(model, cancellation);
    }

    /// <summary>Looks at a model's pointer and loads what it points to; callers at the same time share one look.</summary>
    /// <exception cref="StorageException">The storage does not answer; what serves keeps serving.</exception>
    public async Task FollowAsync(string model, CancellationToken cancellation)
    {
        var look = following.GetOrAdd(model, name => new Lazy<Task>(() => FollowOnceAsync(name)));
        await look.Value.WaitAsync(cancellation);
    }

    /// <summary>404, with what there is instead.</summary>
    public async Task<RequestException> UnknownAsync(string model, CancellationToken cancellation)
    {
        var known = await registry.ListModelsAsync(cancellation);
        var there = known.Count > 0 ? $"There are: {string.Join(", ", known.Take(20))}." : "No model has been published yet.";
        return new RequestException(StatusCodes.Status404NotFound, $"There is no model \"{model}\" that serves. {there}");
    }

    public void Dispose()
    {
        disposed.Cancel();
        foreach (var model in slots.Keys)
            Retire(model);
        disposed.Dispose();
        loading.Dispose();
    }

    ModelSession? TryLease(string model)
    {
        while (slots.TryGetValue(model, out var slot) && slot.Session is { } session)
        {
            if (session.TryLease())
                return session;
        }
        return null;
    }

    async Task FollowOnceAsync(string model)
    {
        try
        {
            if (await registry.ReadCurrentAsync(model, disposed.Token) is not { } pointer)
            {
                Retire(model);
                return;
            }
            var slot = slots.GetOrAdd(model, _ => new Slot());
            if (slot.Seen != pointer.ETag)
                slot.Wait = options.Value.PointerCheckInterval;
            else if (slot.Refusal is null || Environment.TickCount64 < slot.TryAgain)
                return;
            await MoveAsync(model, slot, pointer);
            slot.Seen = pointer.ETag;
            slot.Wait = slot.Wait < LongestWait ? 2 * slot.Wait : LongestWait;
            slot.TryAgain = Environment.TickCount64 + (long)slot.Wait.TotalMilliseconds;
        }
        catch (ModelFormatException fault)
        {
            Refuse(model, slots.GetOrAdd(model, _ => new Slot()), fault.Message, fault);
        }
        finally
        {
            following.TryRemove(model, out _);
        }
    }

    async Task MoveAsync(string model, Slot slot, CurrentPointer pointer)
    {
        var version = pointer.Version;
        var old = slot.Session;
        try
        {
            if (old?.Version != version)
            {
                slot.Session = await LoadServingAsync(model, pointer);
                old?.Dispose();
                logger.LogInformation("Model {Model}: version {Version} serves on {Device}{Instead}", model, version,
                    slot.Session.Device, old is null ? "" : $", instead of {old.Version}");
            }
            slot.Refusal = null;
        }
        catch (Exception fault) when (fault is not (StorageException or OperationCanceledException))
        {
            Refuse(model, slot, fault is ModelUnavailableException ? fault.Message
                : $"Model {model}, version {version} cannot be used: {fault.Message}", fault);
        }
    }

    void Refuse(string model, Slot slot, string reason, Exception fault)
    {
        if (slot.Refusal != reason)
            logger.LogError(fault, "Model {Model}: a new version is refused, {Old} keeps serving. {Reason}", model,
                slot.Session?.Version ?? "nothing", reason);
        slot.Refusal = reason;
    }

    /// <summary>Loads a version, whether it serves or not.</summary>
    internal Task<ModelSession> LoadNamedAsync(string model, string version) =>
        LoadInTurnAsync(() => registry.ReadManifestAsync(model, version, disposed.Token));

    /// <summary>Loads what a pointer names, and nothing that was put in its place.</summary>
    Task<ModelSession> LoadServingAsync(string model, CurrentPointer pointer) =>
        LoadInTurnAsync(() => registry.ReadManifestAsync(model, pointer, disposed.Token));

    async Task<ModelSession> LoadInTurnAsync(Func<Task<Manifest>> manifest)
    {
        await loading.WaitAsync(disposed.Token);
        try
        {
            var session = await OpenAsync(await manifest());
            // ONNX Runtime has copied the files; their arrays are garbage, which .NET would keep until much else is allocated.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
            return session;
        }
        finally
        {
            loading.Release();
        }
    }

    async Task<ModelSession> OpenAsync(Manifest manifest)
    {
        var (encoder, decoder) = (await ReadAsync("encoder.onnx"), await ReadAsync("decoder.onnx"));
        var prior = manifest.Prior is Prior.Autoregressive or Prior.Fitted ? await ReadAsync("prior.onnx") : null;
        var density = Has("density.onnx") ? await ReadAsync("density.onnx") : null;
        var axes = Has(PrincipalAxes.FileName)
            ? PrincipalAxes.Read(new BinaryData(await ReadAsync(PrincipalAxes.FileName)), manifest.LatentSize) : null;
        var concepts = manifest.Concepts is [] ? []
            : ConceptFile.Read(new BinaryData(await ReadAsync(ConceptFile.Name)), manifest.LatentSize);
        var files = new ModelFiles(encoder, decoder, prior, concepts) { Density = density, Axes = axes };
        return await Task.Run(() => new ModelSession(manifest, files, options.Value, metrics));

        bool Has(string name) => manifest.Files.Any(file => file.Name == name); // earlier builds published neither

        async Task<byte[]> ReadAsync(string file) => (await registry.ReadFileAsync(manifest, file, disposed.Token)).ToArray();
    }

    void Retire(string model)
    {
        if (slots.TryRemove(model, out var slot))
            slot.Session?.Dispose();
    }

    sealed class Slot
    {
        /// <summary>The ETag of the pointer that was last followed or refused.</summary>
        public string? Seen;

        /// <summary>When what was refused is tried again, in milliseconds of the system's ticks, and how long that was
        /// put off.</summary>
        public long TryAgain;

        public TimeSpan Wait;

        public volatile ModelSession? Session;

        public volatile string? Refusal;
    }
}

/// <summary>What serves here for a model: a version, or nothing; and why the one pointed to does not.</summary>
public sealed record ModelState(string Model, string? Version, string? Refusal);
