using System.Diagnostics;
using System.Globalization;

namespace VaeFunctions.Bench;

/// <summary>A process that trains an epoch whenever it is asked to, and sleeps in between.</summary>
sealed class Contestant : IDisposable
{
    readonly Process process;

    Contestant(string name, ProcessStartInfo start)
    {
        Name = name;
        start.RedirectStandardInput = start.RedirectStandardOutput = true;
        process = Process.Start(start)!;
    }

    public string Name { get; }

    /// <summary>Images per second of each round.</summary>
    public List<double> Rounds { get; } = [];

    public double Median => Machine.Median(Rounds);

    /// <summary>Bytes of managed memory that a step of the last round took.</summary>
    public long AllocatedPerStep { get; private set; }

    /// <summary>The most memory the process ever held, in MB.</summary>
    public double PeakMegabytes { get; private set; }

    public static Contestant Ours(BenchCase one, int threads) =>
        new($"{threads} threads", new(Environment.ProcessPath!, ["worker", one.Recipe, $"{threads}", $"{one.Images}"]));

    public static Contestant PyTorch(BenchCase one, int threads) => new($"PyTorch, {threads} threads",
        new(Python!, [Path.Combine(AppContext.BaseDirectory, "pytorch.py"), one.Recipe, $"{threads}", $"{one.Images}"])
        {
            Environment = { ["OMP_WAIT_POLICY"] = "passive", ["OMP_NUM_THREADS"] = $"{threads}" },
        });

    /// <summary>The Python that has PyTorch, or null.</summary>
    public static string? Python { get; } = new[] { "/usr/bin/python3", "python3" }.FirstOrDefault(HasTorch);

    static bool HasTorch(string python)
    {
        try
        {
            using var probe =
                Process.Start(new ProcessStartInfo(python, ["-c", "import torch"]) { RedirectStandardError = true })!;
            probe.WaitForExit();
            return probe.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception) // there is no such program
        {
            return false;
        }
    }

    /// <summary>Trains one epoch.</summary>
    /// <param name="counts">False while it warms up.</param>
    /// <exception cref="InvalidOperationException">The process ended.</exception>
    public void Run(bool counts)
    {
        process.StandardInput.WriteLine();
        var line = process.StandardOutput.ReadLine()
            ?? throw new InvalidOperationException($"{Name} ended with exit code {ExitCode()}; its messages are above.");
        var figures = line.Split(' ');
        if (counts) Rounds.Add(double.Parse(figures[0], CultureInfo.InvariantCulture));
        if (figures.Length > 1) AllocatedPerStep = long.Parse(figures[1], CultureInfo.InvariantCulture);
        PeakMegabytes = Machine.Megabytes(process.Id, "VmHWM");
    }

    int ExitCode()
    {
        process.WaitForExit();
        return process.ExitCode;
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        if (!process.WaitForExit(2000)) process.Kill();
        process.Dispose();
    }
}
