using VaeFunctions.Sessions;

namespace VaeFunctions.Tests.Sessions;

public sealed class RemainingTimeTests
{
    [Fact]
    public void Slow_first_steps_and_the_time_before_them_do_not_count()
    {
        var remaining = new RemainingTime();
        var clock = TimeSpan.FromMinutes(7); // images were read before
        TimeSpan? left = null;
        for (var step = 1; step <= 100; step++)
        {
            clock += TimeSpan.FromSeconds(step <= 3 ? 5 : 0.1);
            left = remaining.After(step, 1000, clock);
            if (step <= 20) Assert.Null(left);
        }
        Assert.Equal(90, left!.Value.TotalSeconds, 0.01); // 900 steps of a tenth of a second
    }

    [Fact]
    public void A_resumed_training_counts_from_where_it_goes_on()
    {
        var remaining = new RemainingTime();
        TimeSpan? left = null;
        for (var step = 501; step <= 600; step++) left = remaining.After(step, 1000, TimeSpan.FromSeconds(step));
        Assert.Equal(400, left!.Value.TotalSeconds, 0.01);
    }
}
