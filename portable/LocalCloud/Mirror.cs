using VaeFunctions.Registry;

namespace VaeFunctions.LocalCloud;

/// <summary>Publishes what a folder of <c>./vae train</c> holds and a storage lacks; versions are immutable, so names suffice.</summary>
static class Mirror
{
    const long MaxFileBytes = 2L << 30;

    /// <returns>What was published, as <c>model/version</c>.</returns>
    public static async Task<List<string>> PublishAsync(IBlobStore from, IBlobStore to, CancellationToken cancellation)
    {
        var published = new List<string>();
        foreach (var model in await Models.ListAsync(from, cancellation))
        {
            var news = false;
            await foreach (var version in from.ListFoldersAsync($"models/{model}/", cancellation))
            {
                var manifest = $"models/{model}/{version}/manifest.json";
                if (await ExistsAsync(to, manifest, cancellation) || !await ExistsAsync(from, manifest, cancellation))
                    continue;
                // The manifest last: it is what makes a version complete.
                await foreach (var entry in from.ListAsync($"models/{model}/{version}/", cancellation))
                {
                    if (entry.Path != manifest)
                        await CopyAsync(entry.Path);
                }
                await CopyAsync(manifest);
                published.Add($"{model}/{version}");
                news = true;
            }
            if (news)
                await CopyAsync($"models/{model}/current.json");
        }
        return published;

        async Task CopyAsync(string path)
        {
            if (await from.TryReadAsync(path, MaxFileBytes, cancellation) is { } blob)
                await to.WriteAsync(path, blob.Content, cancellation: cancellation);
        }
    }

    static async Task<bool> ExistsAsync(IBlobStore store, string path, CancellationToken cancellation) =>
        await store.TryReadAsync(path, MaxFileBytes, cancellation) is not null;
}
