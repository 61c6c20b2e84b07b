using System.Diagnostics;

namespace VaeFunctions.Bench.Faults;

/// <summary>A line for each fault and for each invariant that broke, and how many there were of each kind.</summary>
sealed class Journal(TextWriter output)
{
    readonly Stopwatch clock = Stopwatch.StartNew();
    readonly SortedDictionary<string, int> kinds = new(StringComparer.Ordinal);
    readonly List<string> broken = [];

    public TimeSpan Elapsed => clock.Elapsed;

    public int Round { get; set; }

    public int Faults => kinds.Values.Sum();

    public IReadOnlyList<string> Broken => broken;

    public void Fault(string kind, string detail = "")
    {
        lock (kinds)
        {
            kinds[kind] = kinds.GetValueOrDefault(kind) + 1;
            Write(detail.Length > 0 ? $"{kind}: {detail}" : kind);
        }
    }

    public void Break(string what)
    {
        lock (kinds)
        {
            broken.Add($"round {Round}: {what}");
            Write($"BROKEN {what}");
        }
    }

    public void Write(string line)
    {
        lock (kinds)
        {
            output.WriteLine($@"{clock.Elapsed:hh\:mm\:ss\.f} round {Round} {line}");
            output.Flush();
        }
    }

    /// <summary>The faults by kind, and the invariants that broke.</summary>
    public void Summarize()
    {
        output.WriteLine($"\n| fault | times |\n| --- | --- |");
        foreach (var (kind, times) in kinds)
            output.WriteLine($"| {kind} | {times} |");
        output.WriteLine($"\n{Faults} faults in {Round} rounds and {clock.Elapsed.TotalMinutes:F1} minutes; "
            + $"invariants broken: {broken.Count}");
        foreach (var what in broken)
            output.WriteLine($"BROKEN in {what}");
    }
}
