using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace VaeFunctions.Tests;

/// <summary>The real program in a process of its own, on a free port.</summary>
sealed class FunctionsApp : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly Process process;
    readonly ConcurrentQueue<string> log = new();
    readonly TaskCompletionSource<string> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    FunctionsApp(IEnumerable<(string Name, string Value)> settings, string port)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "VaeFunctions.Functions.dll"), "--port", port])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public HttpClient Http { get; } = new() { Timeout = Patience };

    /// <summary>The memory that the process holds now.</summary>
    public double Megabytes
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64 / 1e6;
        }
    }

    public string Log => string.Join('\n', log);

    /// <summary>Starts the program and waits until it listens.</summary>
    public static async Task<FunctionsApp> StartAsync(string connection, params (string Name, string Value)[] settings)
    {
        var app = new FunctionsApp([("VaeStorage", connection), ("Serving__PointerCheckSeconds", "0.1"), ("Serving__RuntimeThreads", "1"), .. settings], "0");
        app.Http.BaseAddress = new Uri(await app.listening.Task.WaitAsync(Patience) + "/api/");
        return app;
    }

    /// <summary>Runs the program to its end, for starts that fail.</summary>
    public static async Task<(int ExitCode, string Log)> RunAsync(string port, params (string Name, string Value)[] settings)
    {
        await using var app = new FunctionsApp(settings, port);
        await app.process.WaitForExitAsync().WaitAsync(Patience);
        return (app.process.ExitCode, app.Log);
    }

    /// <summary>Waits until the models are warmed up.</summary>
    public Task ReadyAsync() => Eventually.Async(async () =>
    {
        using var response = await Http.GetAsync("health/ready");
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    });

    /// <summary>Asks the program to end, as an orchestrator does.</summary>
    public async Task<int> TerminateAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync();
        await process.WaitForExitAsync().WaitAsync(Patience);
        return process.ExitCode;
    }

    /// <summary>Ends the program as a failing machine does.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    void Take(string? line)
    {
        if (line is null)
        {
            listening.TrySetException(new InvalidOperationException($"The functions did not start:\n{Log}"));
            return;
        }
        log.Enqueue(line);
        if (line.IndexOf("Listening on ", StringComparison.Ordinal) is >= 0 and var at)
            listening.TrySetResult(line[(at + "Listening on ".Length)..].Trim());
    }
}
