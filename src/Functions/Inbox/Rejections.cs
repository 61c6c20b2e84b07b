using System.Diagnostics;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Which names of the inbox were rejected before. Hardly any was, so images share a listing of those that were: to look
/// for each by itself would be two storage operations an image more.</summary>
public sealed class Rejections(IBlobStore store)
{
    /// <summary>Names that are kept in mind of a model, one page of a listing; of more than these each is looked for.</summary>
    const int MostNames = 5000;

    readonly Dictionary<string, Listing> listings = [];

    /// <summary>Whether something of a name may lie in rejected/, from before its last content was written.</summary>
    /// <param name="name">Model, slash, the rest.</param>
    /// <param name="age">How long ago that was, at least: a listing that began since then will do.</param>
    public async Task<bool> MayHoldAsync(string name, TimeSpan age, CancellationToken cancellation)
    {
        var written = Stopwatch.GetTimestamp() - (long)(age.TotalSeconds * Stopwatch.Frequency);
        while (true)
        {
            var listing = ListingOf(name.Split('/')[0], written);
            var paths = await listing.Paths.WaitAsync(cancellation);
            if (listing.Began >= written)
                return paths.Count > MostNames || paths.Contains($"rejected/{name}.json");
        }
    }

    /// <summary>The listing that is there or under way, or a new one where that is too old.</summary>
    Listing ListingOf(string model, long written)
    {
        lock (listings)
        {
            if (listings.GetValueOrDefault(model) is { } last
                && (last.Began >= written ? !last.Paths.IsFaulted : !last.Paths.IsCompleted))
                return last;
            return listings[model] = new(Stopwatch.GetTimestamp(), ListAsync(model));
        }
    }

    async Task<HashSet<string>> ListAsync(string model) =>
        await store.ListAsync($"rejected/{model}/").Take(MostNames + 1).Select(blob => blob.Path).ToHashSetAsync();

    sealed record Listing(long Began, Task<HashSet<string>> Paths);
}
