using System.Diagnostics;
using Spectre.Console;

namespace VaeFunctions.LocalCloud;

/// <summary>The demo's stages: each is announced, timed, and named when it fails.</summary>
sealed class Stages
{
    readonly List<(string Name, double Seconds)> _done = [];

    /// <summary>The finished stages in order, with their seconds.</summary>
    public IReadOnlyList<(string Name, double Seconds)> Done => _done;

    public void Add(string name, double seconds) => _done.Add((name, seconds));

    public async Task<T> RunAsync<T>(string name, Func<Task<T>> stage)
    {
        AnsiConsole.MarkupLineInterpolated($"[bold]{_done.Count + 1}. {name}[/]");
        var clock = Stopwatch.StartNew();
        try
        {
            var result = await stage();
            Add(name, clock.Elapsed.TotalSeconds);
            AnsiConsole.MarkupLineInterpolated($"   [dim]{clock.Elapsed.TotalSeconds:0.0} s[/]");
            return result;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new LocalCloudException($"\"{name}\" failed: {e.Message}");
        }
    }
}
