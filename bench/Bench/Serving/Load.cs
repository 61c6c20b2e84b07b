using System.Diagnostics;

namespace VaeFunctions.Bench.Serving;

/// <summary>What clients met with: the milliseconds from each request to the end of its answer, in order.</summary>
sealed record Load(double Seconds, double[] Milliseconds)
{
    public double Rate => Milliseconds.Length / Seconds;

    public double Percentile(double share) => Milliseconds[Math.Min(Milliseconds.Length - 1, (int)(share * Milliseconds.Length))];

    /// <summary>Lets some ask at the same time, each again as soon as it is answered, for some time or until there are as many
    /// answers.</summary>
    public static async Task<Load> OfAsync(IEnumerable<Action> askers, TimeSpan time, int answers = int.MaxValue)
    {
        var clock = Stopwatch.StartNew();
        var asked = 0;
        var results = await Task.WhenAll(askers.Select(ask => Task.Factory.StartNew(() =>
        {
            var own = new List<double>();
            while (clock.Elapsed < time && Interlocked.Increment(ref asked) <= answers)
            {
                var start = Stopwatch.GetTimestamp();
                ask();
                own.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
            return own;
        }, TaskCreationOptions.LongRunning)));
        return new(clock.Elapsed.TotalSeconds, [.. results.SelectMany(own => own).Order()]);
    }
}
