using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Runtime.Intrinsics.X86;
using VaeFunctions.Cpu;
using VaeFunctions.Evaluation;
using VaeFunctions.Tensors;

namespace VaeFunctions.Bench;

/// <summary>What is measured on, and its limit.</summary>
static class Machine
{
    public static string Description => $"{Processor.Name}, {Environment.ProcessorCount} cores, {Width}; .NET "
        + $"{Environment.Version}"
        + (OpenBlas.IsInstalled ? $"; OpenBLAS's kernels for {OpenBlas.Core}" : "");

    static string Width =>
        Avx512F.IsSupported ? "AVX-512" : Avx2.IsSupported ? "AVX2" : $"{Vector<float>.Count * 32}-bit vectors";

    /// <summary>GFLOP/s of a product of two 2048 × 2048 matrices by this project and, if installed, by OpenBLAS: the medians of
    /// rounds in turn.</summary>
    public static (double Ours, double? OpenBlas) Sgemm(int threads, int size = 2048, int rounds = 5)
    {
        var left = Values(size * size);
        var right = Values(size * size);
        var result = new float[size * size];
        var backend = new CpuBackend(threads);
        Tensor a = backend.FromValues(left, new(size, size)), b = backend.FromValues(right, new(size, size));
        if (OpenBlas.IsInstalled) OpenBlas.Threads = threads;
        List<double> ours = [], theirs = [];
        for (var round = -1; round < rounds; round++)
        {
            var own = Rate(2.0 * size * size * size, () =>
            {
                using var scope = backend.BeginScope();
                backend.MatMul(a, b);
            });
            if (round >= 0) ours.Add(own);
            if (!OpenBlas.IsInstalled) continue;
            var other = Rate(
                2.0 * size * size * size, () => OpenBlas.Multiply(left, right, result, size, size, size, transposeRight: false));
            if (round >= 0) theirs.Add(other);
        }
        return (Median(ours), theirs.Count > 0 ? Median(theirs) : null);
    }

    /// <summary>Units of work per nanosecond, over at least a tenth of a second.</summary>
    public static double Rate(double work, Action action)
    {
        var watch = Stopwatch.StartNew();
        var times = 0;
        while (times == 0 || watch.ElapsedMilliseconds < 100)
        {
            action();
            times++;
        }
        return work * times / watch.Elapsed.TotalNanoseconds;
    }

    /// <summary>A figure of a process's memory, such as VmRSS or VmHWM of /proc/ID/status, in MB.</summary>
    public static double Megabytes(int process, string figure)
    {
        var line = File.ReadLines($"/proc/{process}/status")
            .First(text => text.StartsWith($"{figure}:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    /// <summary>The processes that a process started, and those that they started.</summary>
    /// <remarks>Linux lists children by the thread that started them.</remarks>
    public static IEnumerable<int> Descendants(int process) => Directory.GetDirectories($"/proc/{process}/task")
        .SelectMany(thread => File.ReadAllText($"{thread}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Select(int.Parse).SelectMany(child => (int[])[child, .. Descendants(child)]);

    public static string CommandLine(int process) => File.ReadAllText($"/proc/{process}/cmdline").Replace('\0', ' ');

    /// <summary>What a program prints.</summary>
    public static async Task<string> OutputAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return text.Trim();
    }

    public static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    public static float[] Values(int count)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }
}
