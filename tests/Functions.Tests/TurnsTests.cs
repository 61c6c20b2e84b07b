using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

public sealed class TurnsTests : IDisposable
{
    readonly ManualResetEventSlim open = new(false);

    public void Dispose() => open.Dispose();

    [Fact]
    public async Task What_cannot_wait_is_refused_at_once_and_what_waits_has_its_turn()
    {
        using var turns = new Turns(atOnce: 1, longestQueue: 3);
        var running = turns.RunAsync(8, Wait, default); // an empty queue takes more than it holds
        var waiting = turns.RunAsync(3, Wait, default);
        var refused = await Assert.ThrowsAsync<OverloadedException>(() => turns.RunAsync(1, Wait, default));
        Assert.Contains("3 images wait for this model already, of at most 3", refused.Message, StringComparison.Ordinal);
        Assert.False(waiting.IsCompleted);
        open.Set();
        Assert.All(await Task.WhenAll(running, waiting), Assert.True);
    }

    [Fact]
    public async Task Who_goes_away_while_waiting_makes_room_and_takes_no_turn()
    {
        using var turns = new Turns(atOnce: 1, longestQueue: 3);
        using var gone = new CancellationTokenSource();
        var running = turns.RunAsync(1, Wait, default);
        var abandoned = turns.RunAsync(3, Wait, gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => abandoned);
        var waiting = turns.RunAsync(3, Wait, default);
        open.Set();
        Assert.All(await Task.WhenAll(running, waiting), Assert.True);
    }

    bool Wait() => open.Wait(TimeSpan.FromSeconds(60));
}
