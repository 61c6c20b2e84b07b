namespace VaeFunctions.Bench.Serving;

/// <summary>Someone who decodes as fast as he can when it is his turn, and what came of his turns.</summary>
sealed class Contender(string name, Func<TimeSpan, Task<Load>> run)
{
    readonly List<Load> turns = [];

    public string Name => name;

    public double Rate => Median(turn => turn.Rate);

    public double MedianMilliseconds => Median(turn => turn.Percentile(0.5));

    public double SlowMilliseconds => Median(turn => turn.Percentile(0.99));

    /// <param name="counts">False while he warms up.</param>
    public async Task RunAsync(TimeSpan time, bool counts)
    {
        var load = await run(time);
        if (counts) turns.Add(load);
    }

    double Median(Func<Load, double> figure) => Machine.Median([.. turns.Select(figure)]);
}
