using System.Text.Json;
using VaeFunctions.LocalCloud;

namespace VaeFunctions.Tests.Infra;

/// <summary>What the scripts do for real, as far as az and cron can be stood in for.</summary>
public class RepeatTests
{
    const string Deploy = "deploy --environment demo --location swedencentral --principal none";

    const string MasterKey = "a-master-Key_of-no-account",
        DefaultKey = "a-default-Key_of-no-account",
        SystemKey = "a-system-Key_of-no-account";

    const string Kept =
        $"host-master={MasterKey}\nhost-function-default={DefaultKey}\nhost-systemkey-blobs-extension={SystemKey}";

    /// <summary>Answers what each question of the scripts needs; keeps the parameters files that are gone afterwards.</summary>
    /// <param name="secrets">What the functions have for secrets; null where there are no functions yet.</param>
    static string Az(string place, string? secrets = Kept) => $$"""
        case "$*" in
          *"secret list"*) echo '{{secrets}}' ;;
          *"containerapp list"*) echo {{(secrets is null ? "" : "output")}} ;;
          *"sub list"*) echo vae-demo.20260101000000 ;;
          *parameters.budgetStart*) echo 2026-01-01 ;;
          *parameters.gpu*) echo none ;;
          *parameters.serveOn*) echo cpu ;;
          *parameters.recipe*) echo faces-64 ;;
          *parameters.alertEmail*) echo me@example.com ;;
          *parameters.monthlyBudget*) echo 200 ;;
          *parameters.principalType*) echo Group ;;
          *parameters.principalId*) echo 01234567-89ab-cdef-0123-456789abcdef ;;
          *liveUrl*) echo http://127.0.0.1:1/ ;;
          *"sub show"*) echo output ;;
          *"job list"*) echo train-faces-vae ;;
          *"job show"*) echo train cats-recipe --model cats --data blob:training/cats --if-changed --tf32 --epochs 0 ;;
          *"group exists"*) echo true ;;
          *" create "*)
            for word; do
              case $word in
                @*) cp "${word#@}" {{place}}; stat -c %a "$(dirname "${word#@}")" >> {{place}}/modes ;;
              esac
            done
            ;;
        esac
        """;

    /// <summary>What the functions and the Event Grid subscription were given.</summary>
    static async Task<(Dictionary<string, string> Functions, string Subscription)> HandedAsync(TemporaryFolder folder)
    {
        var functions = (await ValueAsync("functionKeys")).Deserialize<Dictionary<string, string>>()!;
        return (functions, (await ValueAsync("key")).GetString()!);

        async Task<JsonElement> ValueAsync(string name) =>
            (await Bicep.ReadAsync(folder.File(name))).GetProperty("parameters").GetProperty(name).GetProperty("value");
    }

    [Fact]
    public async Task A_deployment_keeps_the_keys_of_the_functions_and_shows_them_to_nobody()
    {
        using var folder = new TemporaryFolder();
        using var scripts = new Scripts(Az(folder.Path));

        await using var run = await scripts.RunAsync(Deploy);

        Assert.True(run.ExitCode == 0, run.Output);
        var (functions, subscription) = await HandedAsync(folder);
        Assert.Equal((MasterKey, DefaultKey, SystemKey),
            (functions["host-master"], functions["host-function-default"], functions["host-systemkey-blobs-extension"]));
        Assert.Equal(SystemKey, subscription);
        Assert.All(await File.ReadAllLinesAsync(folder.File("modes")), mode => Assert.Equal("700", mode));
        var calls = await File.ReadAllTextAsync(scripts.Calls);
        Assert.DoesNotContain("-Key_of-", calls + run.Output, StringComparison.Ordinal);
        Assert.Contains("job update --name train-faces-vae", calls, StringComparison.Ordinal);
        var parameters = calls.Split('\n').Single(call => call.Contains("inbox-subscription", StringComparison.Ordinal))
            .Split('@')[1].Split(' ')[0];
        Assert.False(File.Exists(parameters), "The file with the key is still there.");
    }

    /// <summary>The host makes no keys that are the platform's secrets, and without its system key it does not start.</summary>
    [Fact]
    public async Task A_first_deployment_makes_the_keys_of_the_functions()
    {
        using var folder = new TemporaryFolder();
        using var scripts = new Scripts(Az(folder.Path, secrets: null));

        await using var run = await scripts.RunAsync(Deploy);

        Assert.True(run.ExitCode == 0, run.Output);
        var (functions, subscription) = await HandedAsync(folder);
        Assert.Equal(3, functions.Values.Distinct().Count());
        Assert.All(functions.Values, key => Assert.Matches("^[0-9a-f]{64}$", key));
        Assert.Equal(functions["host-systemkey-blobs-extension"], subscription);
        Assert.All(functions.Values,
            key => Assert.DoesNotContain(key, File.ReadAllText(scripts.Calls) + run.Output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("exit 3", 3, "the functions' keys")]
    [InlineData("echo 'host-master=short'", 2, "host-master")]
    public async Task Keys_that_cannot_be_read_are_not_replaced(string answer, int exitCode, string expected)
    {
        using var folder = new TemporaryFolder();
        using var scripts = new Scripts($"case \"$*\" in *'secret list'*) {answer}; exit ;; esac\n" + Az(folder.Path));

        await using var run = await scripts.RunAsync(Deploy);

        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains(expected, run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("functionsImage=output", await File.ReadAllTextAsync(scripts.Calls), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Functions_that_do_not_answer_are_not_subscribed_to_the_inbox()
    {
        using var folder = new TemporaryFolder();
        using var scripts = new Scripts(Az(folder.Path), curl: "exit 7");

        await using var run = await scripts.RunAsync(Deploy);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("infra/logs", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("inbox-subscription", await File.ReadAllTextAsync(scripts.Calls), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_a_first_deployment_makes_the_registry_first_and_later_ones_keep_options()
    {
        using var folder = new TemporaryFolder();
        using var first = new Scripts($"case \"$*\" in *'sub list'*) exit ;; esac\n" + Az(folder.Path));
        using var later = new Scripts(Az(folder.Path));

        await using var one = await first.RunAsync($"{Deploy} --email none@example.com");
        await using var two = await later.RunAsync("deploy --environment demo --location swedencentral --budget 30");

        Assert.True(one.ExitCode == 0 && two.ExitCode == 0, one.Output + two.Output);
        Assert.Equal([false, true], Deployments(first)
            .Select(call => call.Contains("functionsImage=output/functions:", StringComparison.Ordinal)));
        Assert.All(Deployments(first), call => Assert.Contains(
            " principalId= principalType=User gpu=Consumption-GPU-NC8as-T4 serveOn=cpu"
            + " recipe=faces-vae alertEmail=none@example.com monthlyBudget=50 ", call, StringComparison.Ordinal));
        var again = Assert.Single(Deployments(later));
        Assert.Contains("functionsImage=output/functions:", again, StringComparison.Ordinal);
        Assert.Contains(
            " principalId=01234567-89ab-cdef-0123-456789abcdef principalType=Group gpu=none serveOn=cpu"
            + " recipe=faces-64 alertEmail=me@example.com monthlyBudget=30 budgetStart=2026-01-01 ",
            again, StringComparison.Ordinal);
        Assert.Contains("TORCH=cpu", await File.ReadAllTextAsync(later.Calls), StringComparison.Ordinal);

        static IEnumerable<string> Deployments(Scripts scripts) =>
            File.ReadLines(scripts.Calls).Where(call => call.StartsWith("deployment sub create", StringComparison.Ordinal));
    }

    /// <summary>A fault of az must be taken neither for a first deployment nor for one that is gone.</summary>
    [Theory]
    [InlineData("deploy --environment demo --location swedencentral")]
    [InlineData("train-now --environment demo --recipe faces-vae")]
    [InlineData("rollback faces-vae --environment demo")]
    [InlineData("teardown --environment demo --yes")]
    public async Task A_question_that_az_does_not_answer_ends_a_script_before_it_changes_anything(string line)
    {
        using var scripts = new Scripts("echo 'Please run az login' >&2; exit 1");

        await using var run = await scripts.RunAsync(line);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("az login", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("infra/deploy makes", run.Output, StringComparison.Ordinal);
        Assert.Single(await File.ReadAllLinesAsync(scripts.Calls));
    }

    [Fact]
    public async Task Another_GPU_waits_until_the_jobs_of_the_old_one_are_gone()
    {
        using var folder = new TemporaryFolder();
        using var scripts = new Scripts(Az(folder.Path));

        await using var run = await scripts.RunAsync("deploy --environment demo --location swedencentral --gpu T4");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("made for none: train-faces-vae", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("create", await File.ReadAllTextAsync(scripts.Calls), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pause_says_what_makes_the_same_schedule_again()
    {
        using var folder = new TemporaryFolder();
        using var scripts = new Scripts(
            "case \"$*\" in *scheduleTriggerConfig*) echo '0 3 * * 1'; exit ;; esac\n" + Az(folder.Path));

        await using var run = await scripts.RunAsync("schedule-retraining --environment demo --pause --model cats");

        Assert.True(run.ExitCode == 0, run.Output);
        Assert.Contains(
            "--environment demo --recipe cats-recipe --model cats --data blob:training/cats --tf32 --cron '0 3 * * 1'",
            run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_of_a_job_without_a_replica_is_somewhere_else_and_that_is_said()
    {
        using var folder = new TemporaryFolder();
        using var scripts = new Scripts("case \"$*\" in *'logs show'*) exit 1 ;; esac\n" + Az(folder.Path));

        await using var run = await scripts.RunAsync("logs --environment demo --job train-faces-vae");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("ContainerAppConsoleLogs | where JobName == 'train-faces-vae'", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_gone_already_is_no_error()
    {
        using var scripts = new Scripts(
            "case \"$*\" in *exists*) echo false ;; *'sub list'*) ;; *'job list'*) ;; *) exit 99 ;; esac");

        await using var teardown = await scripts.RunAsync("teardown --environment demo --yes");
        await using var pause = await scripts.RunAsync("schedule-retraining --environment demo --pause --recipe faces-vae");

        Assert.Equal(0, teardown.ExitCode);
        Assert.Contains("gone already", teardown.Output, StringComparison.Ordinal);
        Assert.Equal(0, pause.ExitCode);
        Assert.Contains("not scheduled", pause.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deployment_that_is_not_there_is_said_so()
    {
        using var scripts = new Scripts("case \"$*\" in *'sub list'*) ;; *) exit 99 ;; esac");
        await using var run = await scripts.RunAsync("train-now --environment demo --recipe faces-vae");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("infra/deploy", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_crontab_that_cannot_be_read_is_not_written_over()
    {
        using var scripts = new Scripts(crontab: "echo 'crontab: must be privileged' >&2; exit 1");

        await using var run = await scripts.RunAsync("schedule-locally --recipe faces-vae --cron '0 3 * * 1'");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("must be privileged", run.Output, StringComparison.Ordinal);
        Assert.Equal(["-l"], await File.ReadAllLinesAsync(scripts.CrontabCalls));
    }

    /// <summary>In an encoding that it is not in, a line is a binary file to grep.</summary>
    [Fact]
    public async Task Lines_of_any_encoding_stay_in_a_crontab()
    {
        using var scripts = new Scripts();
        byte[] others = [.. "0 1 * * * echo caf"u8, 0xE9, .. "\n9 9 * * * keep-me\n"u8];
        await File.WriteAllBytesAsync(scripts.Crontab, others);

        await using var run = await scripts.RunAsync("schedule-locally --recipe faces-vae --cron '0 3 * * 1'");
        await using var pause = await scripts.RunAsync("schedule-locally --pause --recipe faces-vae");

        Assert.True(run.ExitCode == 0 && pause.ExitCode == 0, run.Output + pause.Output);
        Assert.Equal(2, (await File.ReadAllLinesAsync(scripts.CrontabCalls)).Count(call => call != "-l"));
        Assert.Equal(others, await File.ReadAllBytesAsync(scripts.Crontab));
    }

    [Fact]
    public async Task A_group_that_was_deleted_without_its_record_is_made_anew()
    {
        using var folder = new TemporaryFolder();
        using var scripts = new Scripts("case \"$*\" in *'group exists'*) echo false; exit ;; esac\n" + Az(folder.Path));

        await using var run = await scripts.RunAsync(Deploy);

        Assert.True(run.ExitCode == 0, run.Output);
        Assert.Equal(2, File.ReadLines(scripts.Calls)
            .Count(call => call.StartsWith("deployment sub create", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_job_that_keeps_its_old_image_is_named_at_the_end()
    {
        using var folder = new TemporaryFolder();
        using var scripts = new Scripts("case \"$*\" in *'job update'*) exit 3 ;; esac\n" + Az(folder.Path));

        await using var run = await scripts.RunAsync(Deploy);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("which keep the image that they had: train-faces-vae", run.Output, StringComparison.Ordinal);
        Assert.Contains("inbox-subscription", await File.ReadAllTextAsync(scripts.Calls), StringComparison.Ordinal);
    }

    /// <summary>The line is read by cron's shell.</summary>
    [Fact]
    public async Task A_folder_whose_name_is_a_command_runs_nothing()
    {
        using var folder = new TemporaryFolder();
        using var scripts = new Scripts();
        var place = Path.Combine(folder.Path, "a$(touch pwned)`touch pwned`b");

        await using var run = await scripts.RunAsync(
            $"schedule-locally --recipe faces-vae --model small --data faces:160 --out '{place}' --cron '0 3 * * 1' --dry-run");
        var line = run.Output.Trim()["0 3 * * 1 ".Length..]
            .Replace($"{Installation.Root}/vae", "printf %s", StringComparison.Ordinal);
        await using var job = await Command.RunAsync("sh", "-c", $"cd '{folder.Path}' && {line}");

        Assert.True(job.ExitCode == 0, run.Output + job.Output);
        Assert.Contains(place, await File.ReadAllTextAsync(Path.Combine(place, "small.log")), StringComparison.Ordinal);
        Assert.False(File.Exists(folder.File("pwned")), line);
    }

    [Fact]
    public async Task A_local_schedule_is_one_line_that_changes_and_goes_and_leaves_others_alone()
    {
        using var scripts = new Scripts();
        const string others = "5 5 * * * backup # mine";
        await File.WriteAllTextAsync(scripts.Crontab, $"{others}\n");

        await Done("--recipe faces-vae --cron '0 3 * * 1'");
        await Done("--recipe faces-vae --model other --cron '0 3 * * 1'");
        await Done("--recipe faces-vae --cron '0 4 * * 2'");
        await Done("--recipe faces-vae --cron '0 4 * * 2'");
        var lines = await File.ReadAllLinesAsync(scripts.Crontab);
        Assert.Equal(3, lines.Length);
        Assert.Equal(others, lines[0]);
        Assert.EndsWith("# vae-retraining other", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("0 4 * * 2 ", lines[2], StringComparison.Ordinal);
        Assert.Contains("vae train faces-vae --model faces-vae --out", lines[2], StringComparison.Ordinal);
        Assert.Contains("--if-changed --resume auto", lines[2], StringComparison.Ordinal);
        Assert.Contains("0 4 * * 2", await Done("--show"), StringComparison.Ordinal);

        await Done("--pause --recipe faces-vae");
        await Done("--pause --recipe faces-vae");
        await Done("--pause --model other");
        Assert.Equal([others], await File.ReadAllLinesAsync(scripts.Crontab));

        async Task<string> Done(string options)
        {
            await using var run = await scripts.RunAsync($"schedule-locally {options}");
            Assert.True(run.ExitCode == 0, run.Output);
            return run.Output;
        }
    }

    [Fact]
    public async Task The_line_of_a_local_schedule_trains_once_and_then_finds_nothing_to_do()
    {
        using var folder = new TemporaryFolder();
        using var scripts = new Scripts();
        await using var run = await scripts.RunAsync(
            "schedule-locally --recipe faces-vae --model small --data faces:160 --cron '0 3 * * 1' --dry-run"
            + $" --out '{folder.Path}/runs'");
        // As cron does it: sh, and nothing of this environment that a login would bring.
        var line = run.Output.Trim()["0 3 * * 1 ".Length..]
            .Replace($"{Installation.Root}/vae", Command.LocalCloud, StringComparison.Ordinal);

        await using var first = await Command.RunAsync("sh", "-c", line);
        await using var second = await Command.RunAsync("sh", "-c", line);

        var log = await File.ReadAllTextAsync(folder.File("runs/small.log"));
        Assert.True(first.ExitCode == 0 && second.ExitCode == 0, log);
        Assert.Contains("it serves now", log, StringComparison.Ordinal);
        Assert.Contains("unchanged: small", log, StringComparison.Ordinal);
    }
}
