namespace VaeFunctions.Tests.Infra;

public class WrongInputTests
{
    [Theory]
    [InlineData("deploy --environment demo", "--location")]
    [InlineData("deploy --location swedencentral", "--environment")]
    [InlineData("deploy --environment 'De mo' --location swedencentral", "De mo")]
    [InlineData("deploy --environment demo --location swedencentral --gpu H100", "T4, A100 and none")]
    [InlineData("deploy --environment demo --location swedencentral --gpu none --serve-on-gpu", "T4 or A100")]
    [InlineData("deploy --environment demo --location swedencentral --budget much", "--budget")]
    [InlineData("deploy --environment demo --location swedencentral --principal me", "object id")]
    [InlineData("deploy --environment demo --location swedencentral --email nobody", "nobody")]
    [InlineData("deploy --environment demo --location swedencentral --email 'a@b$(id)'", "e-mail")]
    [InlineData("deploy --environment demo --location swedencentral --principal-type Robot", "ServicePrincipal")]
    [InlineData("deploy --environment demo --location swedencentral --recipe mnist-vae-20", "does not say where its images are")]
    [InlineData("deploy --environment demo --location", "needs a value")]
    [InlineData("train-now --environment demo", "there are cifar10")]
    [InlineData("train-now --environment demo --recipe ../faces-vae", "there is no recipe")]
    [InlineData("train-now --environment demo --recipe faces-vae --data folder:/home/me", "blob:training/FOLDER")]
    [InlineData("train-now --environment demo --recipe faces-vae --data faces:0", "faces:COUNT")]
    [InlineData("train-now --environment demo --recipe faces-vae --data blob:models/faces", "blob:training/FOLDER")]
    [InlineData("train-now --environment demo --recipe faces-vae --data blob:training/../models", "blob:training/FOLDER")]
    [InlineData("train-now --environment demo --recipe faces-vae --epochs 0", "--epochs")]
    [InlineData("train-now --environment demo --recipe faces-vae --model a--b", "--model")]
    [InlineData("train-now --environment demo --recipe faces-vae --model a-name-that-is-too-long-for-a-job", "23")]
    [InlineData("train-now --environment demo --recipe faces-vae --frobnicate 3", "--frobnicate")]
    [InlineData("sweep-now --environment demo --recipe faces-vae", "nothing to sweep over")]
    [InlineData("sweep-now --environment demo --recipe faces-vae --set model.latent", "model.latent=8,16")]
    [InlineData("sweep-now --environment demo --recipe faces-vae --set 'model.latent=8,\"$(id)'", "not understood")]
    [InlineData("sweep-now --environment demo --recipe faces-vae --set model.latent=8,16 --replicas 101", "at most 100")]
    [InlineData("schedule-retraining --environment demo --recipe faces-vae", "--cron")]
    [InlineData("schedule-retraining --environment demo --recipe faces-vae --show --pause", "--pause")]
    [InlineData("schedule-retraining --environment demo --recipe faces-vae --show --cron '* * * * *'", "takes no --cron")]
    [InlineData("schedule-locally --recipe mnist-vae-20 --cron '0 3 * * 1'", "--data")]
    [InlineData("promote faces-vae --environment demo", "a version")]
    [InlineData("promote faces-vae yesterday --environment demo", "yesterday")]
    [InlineData("rollback --environment demo", "a model is needed")]
    [InlineData("rollback Faces --environment demo", "Faces")]
    [InlineData("logs --environment demo --job faces-vae", "train-MODEL")]
    [InlineData("logs --environment demo --tail 1000", "300")]
    [InlineData("logs --environment demo --job train-faces-vae --execution '$(id)'", "no execution")]
    [InlineData("schedule-locally --recipe faces-vae --cron '0 3 * * 1' --data bogus:x", "folder:PATH")]
    [InlineData("teardown --environment demo --really", "--really")]
    [InlineData("teardown --environment demo </dev/null", "nothing was deleted")]
    [InlineData("teardown --environment demo <<<other", "nothing was deleted")]
    public async Task Wrong_input_is_answered_with_what_helps_and_exit_code_2(string line, string expected)
    {
        using var scripts = new Scripts();

        await using var run = await scripts.RunAsync(line);

        Assert.True(run.ExitCode == 2, $"{run.ExitCode}: {run.Output}");
        Assert.Contains(expected, run.Output, StringComparison.Ordinal);
        Assert.False(File.Exists(scripts.Calls), "az was called.");
    }

    [Theory]
    [InlineData("0 3 * * 1", null)]
    [InlineData("*/15 0-6,22-23 1 1-12/3 0", null)]
    [InlineData("08 09 * * *", null)]
    [InlineData("0 3 * *", "4 fields")]
    [InlineData("0 0 3 * * 1", "6 fields")]
    [InlineData("@daily", "1 fields")]
    [InlineData("60 * * * *", "from 0 to 59")]
    [InlineData("0 24 * * *", "from 0 to 23")]
    [InlineData("0 0 0 * *", "from 1 to 31")]
    [InlineData("0 0 * 13 *", "from 1 to 12")]
    [InlineData("0 0 * * 7", "from 0 to 6")]
    [InlineData("0 5-3 * * *", "smaller number first")]
    [InlineData("*/0 * * * *", "not understood")]
    [InlineData("0 0 * * MON", "not understood")]
    [InlineData("1, * * * *", "empty part")]
    public async Task A_cron_expression_is_checked_before_anything_is_done(string cron, string? error)
    {
        foreach (var script in (string[])["schedule-retraining --environment demo", "schedule-locally"])
        {
            using var scripts = new Scripts();

            await using var run = await scripts.RunAsync($"{script} --recipe faces-vae --dry-run --cron '{cron}'");

            if (error is null)
                Assert.True(run.ExitCode == 0 && run.Output.Contains(cron, StringComparison.Ordinal), run.Output);
            else
                Assert.True(run.ExitCode == 2 && run.Output.Contains(error, StringComparison.Ordinal), run.Output);
        }
    }
}
