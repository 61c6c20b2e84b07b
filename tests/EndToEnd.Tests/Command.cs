using System.Diagnostics;
using System.Globalization;
using System.Text;
using VaeFunctions.LocalCloud;

namespace VaeFunctions.Tests;

/// <summary>A program run as people run it. Its children can be told from all others by a mark in their environment.</summary>
sealed class Command : IAsyncDisposable
{
    readonly Process process;
    readonly StringBuilder output = new();

    Command(Process process)
    {
        this.process = process;
        process.OutputDataReceived += Collect;
        process.ErrorDataReceived += Collect;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        void Collect(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is null)
                return; // The stream has ended, the other one perhaps not yet begun.
            lock (output)
                output.AppendLine(line.Data);
        }
    }

    public string Mark { get; private init; } = "";

    public int ExitCode => process.ExitCode;

    /// <summary>What it printed, to both streams.</summary>
    public string Output
    {
        get
        {
            lock (output)
                return output.ToString();
        }
    }

    public static string LocalCloud => Path.ChangeExtension(typeof(Inbox).Assembly.Location, null);

    public static Command Start(string program, params string[] arguments)
    {
        var mark = $"{Guid.NewGuid()}";
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            Environment = { ["VaeTestMark"] = mark },
        };
        start.Environment.Remove("VaeStorage");
        start.Environment.Remove("VaeStarted"); // that of the tests
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return new Command(process) { Mark = mark };
    }

    /// <summary>Runs a program to its end, which has to come within two minutes.</summary>
    public static async Task<Command> RunAsync(string program, params string[] arguments)
    {
        var command = Start(program, arguments);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        try
        {
            await command.process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            command.Kill();
            Assert.Fail($"{program} {string.Join(' ', arguments)} did not end. It said: {command.Output}");
        }
        return command;
    }

    public async Task<int> WaitForExitAsync()
    {
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    public async Task WaitForAsync(string text, int minutes = 1)
    {
        for (var clock = Stopwatch.StartNew(); !Output.Contains(text, StringComparison.Ordinal); await Task.Delay(50))
        {
            Assert.False(process.HasExited, $"It ended without saying \"{text}\": {Output}");
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(minutes), $"It did not say \"{text}\" in {minutes} min: {Output}");
        }
    }

    /// <summary>SIGKILL, to this process alone.</summary>
    public void Kill() => process.Kill(entireProcessTree: false);

    /// <summary>SIGTERM, and the exit code after it.</summary>
    public async Task<int> TerminateAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]))
            await kill.WaitForExitAsync();
        return await WaitForExitAsync();
    }

    /// <summary>The processes that carry this command's mark, itself included.</summary>
    public List<(int Id, string CommandLine)> Family()
    {
        var family = new List<(int, string)>();
        foreach (var folder in Directory.GetDirectories("/proc").Where(folder => int.TryParse(Path.GetFileName(folder),
            CultureInfo.InvariantCulture, out _)))
        {
            try
            {
                if (File.ReadAllText(Path.Combine(folder, "environ")).Contains(Mark, StringComparison.Ordinal))
                    family.Add((int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture),
                        File.ReadAllText(Path.Combine(folder, "cmdline")).Replace('\0', ' ')));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another user's, or gone meanwhile.
            }
        }
        return family;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            await TerminateAsync();
        process.Dispose();
    }
}
