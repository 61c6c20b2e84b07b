using System.Diagnostics;
using Spectre.Console;

namespace VaeFunctions.LocalCloud;

/// <summary>The demo's stages: each is announced, timed, and named when it fails.</summary>
sealed class Stages
{
    readonly List<(string Name, double Seconds)> done = [];

    /// <summary>The finished stages in order, with their seconds.</summary>
    public IReadOnlyList<(string Name, double Seconds)> Done => done;

    /// <summary>Counts a stage that someone else has been through.</summary>
    public void Skip(string name, double seconds)
    {
        Announce(name);
        Finish(name, seconds);
    }

    public async Task<T> RunAsync<T>(string name, Func<Task<T>> stage)
    {
        Announce(name);
        var clock = Stopwatch.StartNew();
        try
        {
            var result = await stage();
            Finish(name, clock.Elapsed.TotalSeconds);
            return result;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new LocalCloudException($"\"{name}\" failed: {e.Message}")
            {
                ExitCode = (e as ExplainedException)?.ExitCode
                ?? 1
            };
        }
    }

    void Announce(string name) => AnsiConsole.MarkupLineInterpolated($"[bold]{done.Count + 1}. {name}[/]");

    void Finish(string name, double seconds)
    {
        done.Add((name, seconds));
        AnsiConsole.MarkupLineInterpolated($"   [dim]{seconds:0.0} s[/]");
    }
}
