using System.Diagnostics;

namespace VaeFunctions.Bench.Serving;

/// <summary>Someone who decodes as fast as he can when it is his turn, and what came of his turns.</summary>
/// <param name="processes">Whose work counts as his.</param>
sealed class Contender(string name, IReadOnlyList<int> processes, Func<TimeSpan, Task<Load>> run)
{
    readonly List<(Load Load, double ProcessorSeconds)> turns = [];

    public string Name => name;

    public double Rate => Median(turn => turn.Load.Rate);

    public double MedianMilliseconds => Median(turn => turn.Load.Percentile(0.5));

    public double SlowMilliseconds => Median(turn => turn.Load.Percentile(0.99));

    /// <summary>Milliseconds that a request keeps one core busy.</summary>
    public double Work => Median(turn => 1000 * turn.ProcessorSeconds / turn.Load.Milliseconds.Length);

    /// <param name="counts">False while he warms up.</param>
    public async Task RunAsync(TimeSpan time, bool counts)
    {
        var before = ProcessorSeconds();
        var load = await run(time);
        if (counts) turns.Add((load, ProcessorSeconds() - before));
    }

    double ProcessorSeconds() => processes.Sum(process =>
    {
        using var watched = Process.GetProcessById(process);
        return watched.TotalProcessorTime.TotalSeconds;
    });

    double Median(Func<(Load Load, double ProcessorSeconds), double> figure) => Machine.Median([.. turns.Select(figure)]);
}
