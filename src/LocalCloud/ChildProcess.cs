using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace VaeFunctions.LocalCloud;

/// <summary>
/// A program that lives no longer than this one. Whatever ends the parent, SIGKILL included, the kernel sends the child
/// SIGTERM. It has a session of its own, so that Ctrl-C reaches only the parent, which stops its children in order.
/// </summary>
sealed partial class ChildProcess : IAsyncDisposable
{
    // $0 is the parent's process id, $1 the log. A parent that died before the kernel knew of the wish is noticed here.
    const string Launch = """
        [ "$PPID" = "$0" ] || exit 1
        [ -z "$1" ] || exec </dev/null >>"$1" 2>&1
        shift
        exec setsid "$@"
        """;

    const int SigTerm = 15;

    /// <summary>How many of its last lines an error shows.</summary>
    const int LastLines = 15;

    readonly Process process;
    readonly Func<IEnumerable<string>> lastLines;
    readonly Func<IEnumerable<string>, bool> isDone;

    ChildProcess(
        string name, Process process, Func<IEnumerable<string>> lastLines, Func<IEnumerable<string>, bool>? isDone = null) =>
        (Name, this.process, this.lastLines, this.isDone) = (name, process, lastLines, isDone ?? (_ => false));

    /// <summary>What people call it.</summary>
    public string Name { get; }

    public int Id => process.Id;

    /// <summary>Starts a program. Its output goes to the file <paramref name="log"/>, or, without one, to where this program's
    /// goes.</summary>
    /// <param name="isDone">Whether the last lines of the log say that a program which was asked to stop has done all that it
    /// must before it ends.</param>
    public static ChildProcess Start(
        string name, string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null,
        string? log = null, Func<IEnumerable<string>, bool>? isDone = null)
    {
        if (log is not null)
            File.Delete(log);
        return new ChildProcess(name, Starter.Start(StartInfo(program, arguments, environment, log)),
            log is null ? () => [] : () => ReadLines(log), isDone);
    }

    /// <summary>Starts a program whose lines of output and of errors go to <paramref name="onLine"/>.</summary>
    public static ChildProcess Start(
        string name, string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment,
        Action<string> onLine)
    {
        var start = StartInfo(program, arguments, environment, log: null);
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        var last = new ConcurrentQueue<string>();
        var process = Starter.Start(start);
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new ChildProcess(name, process, () => last);

        void Take(string? line)
        {
            if (string.IsNullOrWhiteSpace(line))
                return;
            last.Enqueue(line);
            if (last.Count > LastLines)
                last.TryDequeue(out _);
            onLine(line);
        }
    }

    static ProcessStartInfo StartInfo(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment, string? log)
    {
        var start =
            new ProcessStartInfo("setpriv", ["--pdeathsig", "TERM", "--", "/bin/sh", "-c", Launch]) { UseShellExecute = false };
        foreach (var argument in (IEnumerable<string>)[$"{Environment.ProcessId}", log ?? "", program, .. arguments])
            start.ArgumentList.Add(argument);
        foreach (var (key, value) in environment ?? new Dictionary<string, string>())
            start.Environment[key] = value;
        return start;
    }

    static IEnumerable<string> ReadLines(string log) =>
        File.Exists(log) ? [$"The end of {log}:", .. File.ReadLines(log).TakeLast(LastLines)] : [];

    /// <summary>Waits until the program ends and gives its exit code.</summary>
    public async Task<int> WaitForExitAsync(CancellationToken cancellation = default)
    {
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode;
    }

    /// <summary>Waits until an address answers as <paramref name="isReady"/> asks.</summary>
    /// <exception cref="LocalCloudException">The program ended, or was not ready in time; the message has its last
    /// words.</exception>
    public async Task WaitUntilReadyAsync(
        Uri address, Func<HttpResponseMessage, bool> isReady, TimeSpan timeout, CancellationToken cancellation)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        await WaitUntilAsync(async () =>
        {
            using var answer = await http.GetAsync(address, cancellation);
            return isReady(answer);
        }, timeout, cancellation);
    }

    /// <summary>Waits until a question to the program is answered with yes; one that cannot be asked yet is asked
    /// again.</summary>
    /// <exception cref="LocalCloudException">The program ended, or was not ready in time; the message has its last
    /// words.</exception>
    public async Task WaitUntilAsync(Func<Task<bool>> ask, TimeSpan timeout, CancellationToken cancellation)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < timeout; await Task.Delay(20, cancellation))
        {
            if (process.HasExited)
                throw Ended();
            try
            {
                if (await ask())
                    return;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellation.IsCancellationRequested)
            {
                // Not listening yet.
            }
        }
        throw new LocalCloudException($"{Name} was not ready after {timeout.TotalSeconds:0} s.{LastWords()}");
    }

    /// <summary>The error that says how a program ended that should not have.</summary>
    public LocalCloudException Ended() => new($"{Name} ended with exit code {process.ExitCode}.{LastWords()}");

    /// <summary>Asks the program to stop, and after <paramref name="patience"/> makes it.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        if (process.HasExited)
            return;
        _ = Kill(process.Id, SigTerm);
        var exit = process.WaitForExitAsync();
        for (var clock = Stopwatch.StartNew(); await Task.WhenAny(exit, Task.Delay(50)) != exit && !isDone(lastLines());)
        {
            if (clock.Elapsed < patience)
                continue;
            Console.Error.WriteLine($"{Name} did not end within {patience.TotalSeconds:0} s and is made to.");
            break;
        }
        process.Kill(entireProcessTree: true);
        await exit;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.FromSeconds(10));
        process.Dispose();
    }

    string LastWords() => string.Concat(lastLines().Select(line => Environment.NewLine + line));

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    /// <summary>
    /// The thread that starts all children. The kernel takes the death of the *thread* that started a child for the death of
    /// the parent, so a thread of the pool, which may retire, will not do.
    /// </summary>
    static class Starter
    {
        static readonly BlockingCollection<Task> requests = [];

        static Starter() => new Thread(() =>
        {
            foreach (var request in requests.GetConsumingEnumerable())
                request.RunSynchronously();
        })
        { IsBackground = true, Name = "child processes" }.Start();

        public static Process Start(ProcessStartInfo start)
        {
            var request = new Task<Process>(() => Process.Start(start)!);
            requests.Add(request);
            return request.GetAwaiter().GetResult();
        }
    }
}
