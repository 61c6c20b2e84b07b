using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>Passes everything on to another store; a test overrides what is to go wrong.</summary>
abstract class PassingStore(IBlobStore store) : IBlobStore
{
    public string Location => store.Location;

    public virtual Task<Blob?> TryReadAsync(string path, long maxBytes, CancellationToken cancellation) =>
        store.TryReadAsync(path, maxBytes, cancellation);

    public virtual Task<Stream?> TryOpenAsync(string path, Opening opening, CancellationToken cancellation) =>
        store.TryOpenAsync(path, opening, cancellation);

    public virtual Task<string> WriteAsync(
        string path, BinaryData content, WriteCondition condition, CancellationToken cancellation) =>
        store.WriteAsync(path, content, condition, cancellation);

    public virtual IAsyncEnumerable<BlobEntry> ListAsync(string prefix, CancellationToken cancellation) =>
        store.ListAsync(prefix, cancellation);

    public virtual IAsyncEnumerable<string> ListFoldersAsync(string prefix, CancellationToken cancellation) =>
        store.ListFoldersAsync(prefix, cancellation);

    public Task DeleteAsync(string path, CancellationToken cancellation) => store.DeleteAsync(path, cancellation);
}

/// <summary>A storage that answers with half of what there is, a number of times.</summary>
sealed class HalfReads(IBlobStore store, int times) : PassingStore(store)
{
    int left = times;

    public override async Task<Blob?> TryReadAsync(string path, long maxBytes, CancellationToken cancellation) =>
        await base.TryReadAsync(path, maxBytes, cancellation) is { } blob && left-- > 0
            ? blob with { Content = new(blob.Content.ToMemory()[..(blob.Content.ToMemory().Length / 2)]) }
            : await base.TryReadAsync(path, maxBytes, cancellation);
}
