using System.CommandLine;
using VaeFunctions.LocalCloud;
using VaeFunctions.Registry;
using VaeFunctions.Tests;

namespace VaeFunctions.Bench;

/// <summary><c>bench heal</c>: a scheduled training is killed at random moments, on a folder and on the storage emulator, and the
/// schedule runs again: the same weights are to serve.</summary>
static class HealBench
{
    public static Command Create()
    {
        Option<ulong> seed = new("--seed")
        {
            Description = "What the moments follow from; another one each time unless given",
            DefaultValueFactory = _ => (ulong)Random.Shared.Next(),
        };
        Option<int> kills = new("--kills") { Description = "Kills for each kind of moment", DefaultValueFactory = _ => 50 };
        var command = new Command("heal", "Kill a scheduled training at random moments and see what serves in the end")
        {
            seed, kills,
        };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(seed), Math.Max(1, parsed.GetValue(kills))));
        return command;
    }

    static async Task<int> RunAsync(ulong seed, int kills)
    {
        Console.WriteLine($"seed {seed}, {kills} kills for each kind of moment");
        var program = Installation.Dll("TrainingJob");
        var folder = Directory.CreateTempSubdirectory("vae-heal-").FullName;
        try
        {
            var (runs, data) = (Path.Combine(folder, "runs"), Path.Combine(folder, "azurite"));
            Directory.CreateDirectory(runs);
            var wrong = await RunAsync(
                "folder", new(program, new FolderBlobStore(runs), runs, null, seed, Console.WriteLine), kills,
                [Moment.Epoch, Moment.Checkpoint, Moment.Measuring, Moment.Publication]);

            var port = Port.Free();
            await using var azurite = await Azurite.StartAsync(port, data, CancellationToken.None);
            using var proxy = new FaultProxy(Azurite.ConnectionString(port));
            var account = BlobStores.Open(Azurite.ConnectionString(port));
            wrong += await RunAsync(
                "account", new(program, account, folder, proxy, seed, Console.WriteLine), kills, Enum.GetValues<Moment>());
            return wrong == 0 ? 0 : 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static async Task<int> RunAsync(string where, KillCampaign campaign, int kills, Moment[] moments)
    {
        await campaign.MeasureAsync();
        var wrong = new List<string>();
        foreach (var moment in moments)
        {
            var before = wrong.Count;
            for (var kill = 0; kill < kills; kill++)
            {
                if (await campaign.TryAsync(moment) is { } what)
                    wrong.Add(what);
            }
            Console.WriteLine($"{where}, {moment}: {kills - wrong.Count + before} of {kills} ended with the same weights");
        }
        foreach (var what in wrong)
            Console.WriteLine($"WRONG on {where}: {what}");
        return wrong.Count;
    }
}
