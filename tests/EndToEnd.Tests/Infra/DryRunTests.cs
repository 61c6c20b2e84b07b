using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using VaeFunctions.LocalCloud;

namespace VaeFunctions.Tests.Infra;

public partial class DryRunTests
{
    /// <summary>Every script in every mode, and something that it must print.</summary>
    public static TheoryData<string, string> Modes { get; } = new()
    {
        { "deploy --environment demo --location swedencentral", "az acr build --registry \"$registryName\" --image training:" },
        {
            "deploy --environment demo --location swedencentral --gpu none --tag t1"
            + " --email a@b.example --budget 20 --principal none",
            "gpu=none serveOn=cpu"
        },
        {
            "deploy --environment demo --location swedencentral --gpu A100 --serve-on-gpu",
            "gpu=Consumption-GPU-NC24-A100 serveOn=gpu"
        },
        { "deploy --environment demo --location swedencentral --serve-on-gpu", "--build-arg GPU=true" },
        {
            "train-now --environment demo --recipe faces-vae --epochs 3 --model faces --data faces:4000",
            "az containerapp job start --name train-faces"
        },
        { "train-now --environment demo --recipe faces-vae --tf32 --epochs 3", "epochs=3 tf32=true" },
        {
            "sweep-now --environment demo --recipe faces-vae --set model.latent=8,16"
            + " --set 'model.channels=[8],[8,16]' --replicas 4",
            "'sweep=[\"model.latent=8,16\",\"model.channels=[8],[8,16]\"]' replicas=4 tf32=false"
        },
        { "sweep-now --environment demo --tf32 --recipe faces-vae --set model.latent=8,16", "replicas=2 tf32=true" },
        { "schedule-retraining --environment demo --recipe faces-vae --tf32 --cron '0 3 * * 1'", "'cron=0 3 * * 1' tf32=true" },
        {
            "schedule-retraining --environment demo --recipe mnist-vae-20 --data blob:training/digits --cron '0 3 * * 1'",
            "'cron=0 3 * * 1'"
        },
        { "schedule-retraining --environment demo --show", "az containerapp job list" },
        {
            "schedule-retraining --environment demo --show --recipe faces-vae",
            "az containerapp job show --name retrain-faces-vae"
        },
        {
            "schedule-retraining --environment demo --pause --recipe faces-vae",
            "az containerapp job delete --name retrain-faces-vae"
        },
        {
            "promote faces-vae 20260102T030405Z --environment demo --force",
            "publish faces-vae --version 20260102T030405Z --from blob --to blob --force"
        },
        { "rollback faces-vae --environment demo", "rollback faces-vae --store blob" },
        { "rollback faces-vae 20260102T030405Z-02 --environment demo", "--to 20260102T030405Z-02" },
        { "logs --environment demo --tail 5", "az containerapp logs show" },
        {
            "logs --environment demo --job retrain-faces-vae --execution e1 --follow",
            "az containerapp job logs show --name retrain-faces-vae"
        },
        { "teardown --environment demo --yes", "az group delete --name rg-vae-demo" },
        { "schedule-locally --recipe faces-vae --cron '*/5 0-6 * * 1,3'", "*/5 0-6 * * 1,3 mkdir" },
        { "schedule-locally --pause --recipe faces-vae", "\n" },
        { "schedule-locally --show", "nothing is scheduled" },
    };

    /// <summary>What each line did, which several tests ask of.</summary>
    static readonly ConcurrentDictionary<string, Task<DryRun>> runs = new();

    sealed record DryRun(int ExitCode, string Printed, string Said, bool CalledAz, bool ChangedCrontab);

    static Task<DryRun> DryAsync(string line) => runs.GetOrAdd(line, async _ =>
    {
        using var scripts = new Scripts();
        var said = Path.Combine(scripts.Place, "said");
        await using var run = await scripts.RunAsync($"{line} --dry-run 2>'{said}'");
        return new(run.ExitCode, run.Output, await File.ReadAllTextAsync(said), File.Exists(scripts.Calls),
            File.Exists(scripts.Crontab));
    });

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_dry_run_prints_what_would_be_done_and_does_none_of_it(string line, string expected)
    {
        var run = await DryAsync(line);

        Assert.True(run.ExitCode == 0, run.Printed + run.Said);
        Assert.Contains(expected, run.Printed + run.Said, StringComparison.Ordinal);
        Assert.False(run.CalledAz, "az was called.");
        Assert.False(run.ChangedCrontab, "The crontab was changed.");
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_dry_run_can_be_read_by_a_shell(string line, string expected)
    {
        if (line.StartsWith("schedule-locally", StringComparison.Ordinal))
            return; // a crontab is no script
        var run = await DryAsync(line);
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("printed"), run.Printed);

        await using var check = await Command.RunAsync("bash", "-n", folder.File("printed"));

        Assert.True(check.ExitCode == 0, $"{check.Output}\n{run.Printed}");
        Assert.NotEmpty(expected);
    }

    /// <summary>infra/az-commands.txt says which options a command has, and where that was looked up.</summary>
    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Every_command_and_option_of_az_exists(string line, string expected)
    {
        var reference = File.ReadLines(Path.Combine(Scripts.Folder, "az-commands.txt")).Where(text => !text.StartsWith('#'))
            .Select(text => text.Split(": ")).ToDictionary(parts => parts[0], parts => parts[1].Split(' '));
        var run = await DryAsync(line);

        foreach (Match call in AzCall().Matches(run.Printed))
        {
            var words = call.Groups["words"].Value;
            var command = reference.Keys.SingleOrDefault(name => words.StartsWith($"{name} ", StringComparison.Ordinal));
            Assert.True(command is not null, $"az-commands.txt does not know: az {words}");
            Assert.All(Option().Matches(words).Select(option => option.Value),
                option => Assert.Contains(option, reference[command]));
        }
        Assert.Equal(line.StartsWith("schedule-locally", StringComparison.Ordinal), !AzCall().IsMatch(run.Printed));
        Assert.NotEmpty(expected);
    }

    [Theory]
    [InlineData("deploy", "swedencentral")]
    [InlineData("train-now", "--recipe")]
    [InlineData("sweep-now", "--replicas")]
    [InlineData("schedule-retraining", "--cron")]
    [InlineData("promote", "VERSION")]
    [InlineData("rollback", "VERSION")]
    [InlineData("logs", "--follow")]
    [InlineData("teardown", "rg-vae-NAME")]
    [InlineData("schedule-locally", "crontab")]
    public async Task Every_script_explains_itself(string script, string expected)
    {
        using var scripts = new Scripts();

        await using var help = await scripts.RunAsync($"{script} --help");

        Assert.Equal(0, help.ExitCode);
        Assert.Contains($"infra/{script}", help.Output, StringComparison.Ordinal);
        Assert.Contains("--dry-run", help.Output, StringComparison.Ordinal);
        Assert.Contains(expected, help.Output, StringComparison.Ordinal);
        Assert.Contains(script, Scripts.Names);
    }

    [Fact]
    public void Every_script_is_one_that_these_tests_run()
    {
        var programs = Directory.EnumerateFiles(Scripts.Folder)
            .Where(file => (File.GetUnixFileMode(file) & UnixFileMode.UserExecute) != 0);
        Assert.Equal(Scripts.Names.Order(), programs.Select(Path.GetFileName).Order());
    }

    [SkippableFact]
    public async Task Shellcheck_finds_nothing()
    {
        await using var which = await Command.RunAsync("bash", "-c", "command -v shellcheck");
        Skip.If(which.ExitCode != 0, "shellcheck is not installed.");
        var files = Scripts.Names.Append("lib.sh").Select(name => Path.Combine(Scripts.Folder, name));

        await using var check = await Command.RunAsync("shellcheck", [.. files, Path.Combine(Installation.Root, "vae")]);

        Assert.True(check.ExitCode == 0, check.Output);
    }

    [GeneratedRegex(@"(^|\()az (?<words>.*?)\)?$", RegexOptions.Multiline)]
    private static partial Regex AzCall();

    [GeneratedRegex("(?<= )--[a-z-]+")]
    private static partial Regex Option();
}
