using VaeFunctions.Registry;

namespace VaeFunctions.Tests;

/// <summary>A queue hides a message for ten minutes from the moment it is taken, also when the answer never reached the
/// taker.</summary>
public sealed class LostMessageTests : IAsyncLifetime
{
    const string Image = "inbox/tiny/a.png";

    readonly AzuriteFixture azurite = new();

    public Task InitializeAsync() => azurite.InitializeAsync();

    public Task DisposeAsync() => azurite.DisposeAsync();

    [SkippableFact]
    public Task An_image_whose_message_never_reached_the_listener_is_answered_after_a_silence() =>
        AnsweredInSpiteOfAsync(Fault.Cut, (method, path) =>
            method == "GET" && path.EndsWith("/messages", StringComparison.Ordinal));

    // The storage's client does not repeat a request that was answered with 409.
    [SkippableFact]
    public Task An_image_that_the_host_could_not_look_at_is_answered_after_a_silence() =>
        AnsweredInSpiteOfAsync(Fault.Conflict, (_, path) => path == Image);

    /// <param name="hits">Whether a request, by its method and path, is one that the fault may hit. It hits those while the event
    /// is being sent, and the first one after that.</param>
    async Task AnsweredInSpiteOfAsync(Fault fault, Func<string, string, bool> hits)
    {
        var store = BlobStores.Open(azurite.ConnectionString);
        await TinyModel.ServeAsync(new ModelRegistry(store), "tiny", "v1");
        using var proxy = new FaultProxy(azurite.ConnectionString);
        await using var app = await FunctionsApp.StartAsync(proxy.ConnectionString, blobSilence: TimeSpan.FromSeconds(3));
        bool sending = false, sent = false;
        var hit = 0;
        proxy.Decide = (method, path) =>
        {
            if (Sends(method, path))
                sending = true;
            if (!sending || !(path == Image || IsOfTheEvent(path)) || !hits(method, path))
                return Fault.None;
            return !sent || Interlocked.Increment(ref hit) == 1 ? fault : Fault.None;
        };
        proxy.Answered = (method, path) =>
        {
            if (Sends(method, path))
                sent = true;
        };

        await store.WriteAsync(Image, new BinaryData(Pictures.Bands(1, 2, 3, 4)));

        await Eventually.Async(
            async () => Assert.NotNull(await store.TryReadAsync("results/tiny/a.png.json", 1 << 20)), seconds: 60);
        Assert.True(hit > 0, "No request was hit.");
        Assert.Contains(
            "Unfinished after 3 s and told of again: 1 in inbox, tiny/a.png among them", app.Log, StringComparison.Ordinal);

        static bool IsOfTheEvent(string path) => path.StartsWith("azure-webjobs-blobtrigger-", StringComparison.Ordinal);
        static bool Sends(string method, string path) => method == "POST" && IsOfTheEvent(path);
    }
}
