using System.CommandLine;
using System.Globalization;

namespace VaeFunctions.Bench;

/// <summary><c>bench train</c>: images per second of training, beside PyTorch's on the same cores.</summary>
static class TrainBench
{
    public static Command Create()
    {
        Option<string[]> only = new("--recipe") { Description = "Only these recipes", AllowMultipleArgumentsPerToken = true };
        Option<int> rounds =
            new("--rounds") { Description = "Rounds that count, after one that warms up", DefaultValueFactory = _ => 5 };
        var command = new Command("train", "Images per second of training, beside PyTorch's") { only, rounds };
        command.SetAction(parsed => Run(parsed.GetValue(only) ?? [], Math.Max(1, parsed.GetValue(rounds))));
        return command;
    }

    static int Run(string[] only, int rounds)
    {
        var cases = BenchCase.All.Where(one => only.Length == 0 || only.Contains(one.Recipe)).ToArray();
        if (cases.Length == 0)
        {
            Console.Error.WriteLine($"There is no benchmark of {string.Join(", ", only)}; there are: "
                + $"{string.Join(", ", BenchCase.All.Select(one => one.Recipe))}.");
            return 2;
        }
        var threads = Environment.ProcessorCount;
        var pyTorch = Contestant.Python is not null;
        var (ours, openBlas) = Machine.Sgemm(threads);
        var limit = Math.Max(ours, openBlas ?? 0);
        Console.WriteLine($"{Machine.Description}\n");
        var beside = openBlas is { } other ? $", OpenBLAS {other:F0}: {ours / other:P0}" : "; OpenBLAS is not installed";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"SGEMM 2048³ on {threads} threads: {ours:F0} GFLOP/s{beside}"));
        if (!pyTorch)
            Console.WriteLine(
                "PyTorch is not installed, so there is no ratio to it (Debian: apt install python3-torch libopenblas0-openmp).");
        Console.WriteLine();
        Console.WriteLine($"| recipe | images/s, 1 thread | {threads} threads | scaling | PyTorch, 1 thread | {threads} "
            + "threads | ratio to its best | share of the SGEMM limit | peak MB | PyTorch's | KB allocated a step |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var one in cases) Console.WriteLine(Measure(one, threads, rounds, pyTorch, limit));
        return 0;
    }

    static string Measure(BenchCase one, int threads, int rounds, bool pyTorch, double limit)
    {
        Contestant[] ours = [Contestant.Ours(one, 1), Contestant.Ours(one, threads)];
        Contestant[] theirs = pyTorch ? [Contestant.PyTorch(one, 1), Contestant.PyTorch(one, threads)] : [];
        Contestant[] all = [.. ours, .. theirs];
        try
        {
            for (var round = -1; round < rounds; round++)
            {
                foreach (var contestant in all) contestant.Run(counts: round >= 0);
            }
            var best = ours.Max(contestant => contestant.Median);
            var row = string.Create(CultureInfo.InvariantCulture,
                $"| {one.Recipe} | {ours[0].Median:F0} | {ours[1].Median:F0} | {ours[1].Median / ours[0].Median:F2} ×");
            row += pyTorch
                ? string.Create(CultureInfo.InvariantCulture,
                    $" | {theirs[0].Median:F0} | {theirs[1].Median:F0} | "
                        + $"{best / theirs.Max(contestant => contestant.Median):F2} ×")
                : " | – | – | –";
            return row + string.Create(CultureInfo.InvariantCulture,
                $" | {best * one.FlopPerImage / 1e9 / limit:P0} | {ours[1].PeakMegabytes:F0} | "
                    + $"{(pyTorch ? theirs.Min(contestant => contestant.PeakMegabytes)
                        .ToString("F0", CultureInfo.InvariantCulture) : "–")} | {ours[1].AllocatedPerStep / 1e3:F0} |");
        }
        finally
        {
            foreach (var contestant in all) contestant.Dispose();
        }
    }
}
