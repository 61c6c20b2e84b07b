namespace VaeFunctions.Sessions;

/// <summary>Estimates how long a training goes on, from its own pace: neither the time that reading images took nor the first
/// steps, which compile and warm up and are many times slower, count.</summary>
sealed class RemainingTime
{
    const int WarmUp = 3;

    /// <summary>What passes before the first estimate, since a few steps say little.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    int calls;
    (long Done, TimeSpan Time) since;

    /// <param name="done">Steps that are done, of the whole training; a resumed one begins within it.</param>
    /// <param name="now">By any clock that goes forward.</param>
    /// <returns>The time that is left; null as long as nothing can be said.</returns>
    public TimeSpan? After(long done, long all, TimeSpan now)
    {
        if (calls++ < WarmUp) since = (done, now);
        var (steps, time) = (done - since.Done, now - since.Time);
        return steps > 0 && time >= Patience ? time / steps * (all - done) : null;
    }
}
