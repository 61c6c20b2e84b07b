using VaeFunctions.LocalCloud;

namespace VaeFunctions.Tests.Infra;

/// <summary>The scripts of infra/, run with stand-ins for az and crontab that write down how they were called.</summary>
sealed class Scripts : IDisposable
{
    readonly TemporaryFolder folder = new();

    /// <param name="az">What az does, in sh, after its arguments are written down.</param>
    public Scripts(string az = "exit 99", string curl = "exit 0", string? crontab = null)
    {
        Script("az", $"echo \"$@\" >> {Calls}\n{az}");
        Script("crontab", $"echo \"$@\" >> {CrontabCalls}\n" + (crontab ?? $$"""
            if [ "$1" = -l ]; then
              cat {{Crontab}} 2>/dev/null || { echo 'no crontab for me' >&2; exit 1; }
            else
              cat > {{Crontab}}
            fi
            """));
        Script("curl", curl);
    }

    public static IReadOnlyList<string> Names { get; } =
    [
        "deploy", "train-now", "sweep-now", "schedule-retraining", "promote", "rollback", "logs", "teardown", "schedule-locally",
    ];

    public static string Folder => Path.Combine(Installation.Root, "infra");

    /// <summary>One line for each call of az.</summary>
    public string Calls => folder.File("calls");

    public string CrontabCalls => folder.File("crontab-calls");

    /// <summary>What the stand-in for cron has.</summary>
    public string Crontab => folder.File("table");

    public string Place => folder.Path;

    /// <summary>Runs a line such as <c>deploy --environment demo</c>; words in single quotes may have spaces.</summary>
    public Task<Command> RunAsync(string line) => Command.RunAsync("bash", "-c", $"""
        export LC_ALL=C.UTF-8
        unset AZURE_ENV_NAME AZURE_LOCATION AZURE_PRINCIPAL_ID VAE_GPU VAE_SERVE_ON VAE_ALERT_EMAIL
        PATH={folder.Path}:$PATH
        cd / && '{Folder}'/{line}
        """);

    void Script(string name, string body)
    {
        File.WriteAllText(folder.File(name), $"#!/bin/sh\n{body}\n");
        File.SetUnixFileMode(folder.File(name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void Dispose() => folder.Dispose();
}
