using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using VaeFunctions.Registry;
using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

public sealed class ModelFollowerTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_pointer_that_cannot_be_read_stops_no_other_model_and_is_named()
    {
        var whole = new ModelRegistry(new FolderBlobStore(folder.Path));
        foreach (var model in (string[])["a-first", "locked", "z-last"])
            await TinyModel.ServeAsync(whole, model, "v1");
        var store = new Locked(whole.Store, "models/locked/current.json");
        var options = Options.Create(new ServingOptions { PointerCheckSeconds = 0.05, RuntimeThreads = 1 });
        using var metrics = new ServingMetrics(new Meters());
        using var models = new ModelProvider(new(store), options, metrics, NullLogger<ModelProvider>.Instance);
        using var follower = new ModelFollower(models, new(store), options, NullLogger<ModelFollower>.Instance);
        await follower.StartAsync(default);

        await ServesAsync("a-first", "v1");
        await ServesAsync("z-last", "v1");
        await Eventually.Async(() => Task.Run(() => Assert.True(follower.WarmedUp)));
        Assert.Equal("locked", Assert.Single(follower.Unreadable).Model);
        Assert.Contains("models/locked/current.json", follower.StorageFault, StringComparison.Ordinal);
        await TinyModel.ServeAsync(whole, "z-last", "v2");
        await ServesAsync("z-last", "v2");

        store.IsLocked = false;
        await ServesAsync("locked", "v1");
        Assert.Null(follower.StorageFault);
        await follower.StopAsync(default);

        Task ServesAsync(string model, string version) => Eventually.Async(() => Task.Run(() =>
            Assert.Equal(version, Assert.Single(models.States, state => state.Model == model).Version)));
    }

    [Fact]
    public async Task A_storage_that_fails_while_the_follower_stops_is_no_fault_of_it()
    {
        var store = new Torn(new FolderBlobStore(folder.Path));
        var options = Options.Create(new ServingOptions());
        using var metrics = new ServingMetrics(new Meters());
        using var models = new ModelProvider(new(store), options, metrics, NullLogger<ModelProvider>.Instance);
        using var follower = new ModelFollower(models, new(store), options, NullLogger<ModelFollower>.Instance);
        await follower.StartAsync(default);
        await store.Listing.Task;
        await follower.StopAsync(default);
        Assert.Equal(TaskStatus.RanToCompletion, follower.ExecuteTask!.Status);
    }

    /// <summary>Lists for ever, and says in a fault of its own that it was to stop.</summary>
    sealed class Torn(IBlobStore store) : PassingStore(store)
    {
        public TaskCompletionSource Listing { get; } = new();

        public override async IAsyncEnumerable<string> ListFoldersAsync(
            string prefix, [EnumeratorCancellation] CancellationToken cancellation)
        {
            Listing.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellation.IsCancellationRequested)
                throw new StorageException("Listing: the connection was closed.");
            yield break;
        }
    }

    sealed class Locked(IBlobStore store, string locked) : PassingStore(store)
    {
        public volatile bool IsLocked = true;

        public override Task<Blob?> TryReadAsync(string path, long maxBytes, CancellationToken cancellation) =>
            IsLocked && path == locked
                ? throw new StorageException($"Reading {path}: access is denied.")
                : base.TryReadAsync(path, maxBytes, cancellation);
    }
}
