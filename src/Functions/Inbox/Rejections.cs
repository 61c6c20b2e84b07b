using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Which names of the inbox were rejected before. Hardly any was, so images share a listing of those that were: to look
/// for each by itself would be two storage operations an image more.</summary>
public sealed class Rejections(IBlobStore store)
{
    /// <summary>Names that are kept in mind of a model, one page of a listing; of more than these each is looked for.</summary>
    const int MostNames = 5000;

    /// <summary>The least time between the starts of two listings of a model, unless the first failed: images that come within it
    /// wait for the second and share it.</summary>
    static readonly TimeSpan interval = TimeSpan.FromSeconds(0.3);

    readonly Dictionary<string, Task<Listing>> listings = [];

    /// <summary>The clock; tests give their own.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Whether something of a name may lie in rejected/, from before its last content was written.</summary>
    /// <param name="name">Model, slash, the rest.</param>
    /// <param name="age">How long ago that was, at least: a listing that began since then will do.</param>
    public async Task<bool> MayHoldAsync(string name, TimeSpan age, CancellationToken cancellation)
    {
        var written = Clock.GetTimestamp() - (long)(age.TotalSeconds * Clock.TimestampFrequency);
        while (true)
        {
            var listing = await ListingOf(name.Split('/')[0], written).WaitAsync(cancellation);
            if (listing.Began >= written)
                return listing.Paths.Count > MostNames || listing.Paths.Contains($"rejected/{name}.json");
        }
    }

    /// <summary>The listing that is there or under way, or a new one where that is too old.</summary>
    Task<Listing> ListingOf(string model, long written)
    {
        lock (listings)
        {
            var wait = TimeSpan.Zero;
            if (listings.TryGetValue(model, out var last))
            {
                if (!last.IsCompleted)
                    return last;
                if (last.IsCompletedSuccessfully)
                {
                    if (last.Result.Began >= written)
                        return last;
                    wait = interval - Clock.GetElapsedTime(last.Result.Began);
                }
            }
            return listings[model] = ListAsync(model, wait);
        }
    }

    async Task<Listing> ListAsync(string model, TimeSpan wait)
    {
        if (wait > TimeSpan.Zero)
            await Task.Delay(wait, Clock);
        var began = Clock.GetTimestamp();
        return new(began,
            await store.ListAsync($"rejected/{model}/").Take(MostNames + 1).Select(blob => blob.Path).ToHashSetAsync());
    }

    sealed record Listing(long Began, HashSet<string> Paths);
}
