using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>A queue hides for ten minutes what somebody took, also from one whom its answer never reached.</summary>
public sealed class LostMessageTests : IAsyncLifetime
{
    readonly AzuriteFixture azurite = new();

    public Task InitializeAsync() => azurite.InitializeAsync();

    public Task DisposeAsync() => azurite.DisposeAsync();

    [SkippableFact]
    public Task An_image_whose_event_never_reached_the_host_is_answered_after_a_silence() =>
        AnsweredInSpiteOfAsync(Fault.Cut, (method, path) =>
            method == "GET" && path.EndsWith("/messages", StringComparison.Ordinal));

    [SkippableFact]
    public Task An_image_that_the_host_could_not_look_at_is_answered_after_a_silence() =>
        AnsweredInSpiteOfAsync(Fault.Conflict, (_, path) => path == "inbox/tiny/a.png"); // which no client tries a second time

    /// <param name="hits">Whether the fault is to hit a request, by its method and path, if it is the first such one after the
    /// event was sent.</param>
    async Task AnsweredInSpiteOfAsync(Fault fault, Func<string, string, bool> hits)
    {
        var store = BlobStores.Open(azurite.ConnectionString);
        await TinyModel.ServeAsync(new ModelRegistry(store), "tiny", "v1");
        using var proxy = new FaultProxy(azurite.ConnectionString);
        await using var app = await FunctionsApp.StartAsync(proxy.ConnectionString, blobSilence: TimeSpan.FromSeconds(3));
        var (sent, hit) = (false, 0);
        proxy.Answered = (method, path) => sent |= method == "POST" && IsOfTheEvent(path);
        proxy.Decide = (method, path) => sent && (path == "inbox/tiny/a.png" || IsOfTheEvent(path)) && hits(method, path)
            && Interlocked.Increment(ref hit) == 1 ? fault : Fault.None;

        await store.WriteAsync("inbox/tiny/a.png", new BinaryData(Pictures.Bands(1, 2, 3, 4)));

        await Eventually.Async(async () => Assert.NotNull(await store.TryReadAsync("results/tiny/a.png.json", 1 << 20)));
        Assert.Contains("Unfinished after 3 s and told of again: 1 in inbox, the first tiny/a.png", app.Log, StringComparison.Ordinal);

        static bool IsOfTheEvent(string path) => path.StartsWith("azure-webjobs-blobtrigger-", StringComparison.Ordinal);
    }
}
