using VaeFunctions.LocalCloud;
using VaeFunctions.Tests;

namespace VaeFunctions.Bench.Faults;

/// <summary>A scheduled training that is killed, or whose storage or disk fails it; the schedule runs again until one ends well:
/// the weights of an uninterrupted training serve.</summary>
sealed class Trainings(Cloud cloud, string folder, ulong seed, RandomStream random, Journal journal)
{
    /// <summary>How often the schedule may run until the storage stays up for one of its runs.</summary>
    const int Tries = 6;

    readonly FaultProxy proxy = cloud.AnotherProxy();
    KillCampaign? campaign;
    int rounds;

    /// <summary>The training of a round; every fourth runs on a disk that is full, where that can be had.</summary>
    public async Task<IWork> NextAsync()
    {
        if (campaign is null)
        {
            campaign = new(Installation.Dll("TrainingJob"), cloud.Store, folder, proxy, seed, journal.Write);
            await campaign.MeasureAsync();
        }
        if (++rounds % 4 == 2)
        {
            if (await KillCampaign.WhyNoSmallDiskAsync(folder) is not { } why)
                return new Training(() => OnFullDiskAsync(campaign), ClearAsync);
            journal.Write($"no disk fills, for a small one cannot be made here: {why}");
        }
        return new Training(() => InterruptedAsync(campaign), ClearAsync);
    }

    async Task<string?> OnFullDiskAsync(KillCampaign campaign)
    {
        var wrong = await campaign.TryFullDiskAsync();
        journal.Fault("a training's disk is full");
        return wrong;
    }

    async Task<string?> InterruptedAsync(KillCampaign campaign)
    {
        var moments = Enum.GetValues<Moment>();
        var moment = moments[random.NextInt(moments.Length)];
        var wrong = await campaign.TryAsync(moment, Tries);
        journal.Fault(moment == Moment.Storage ? "a training's storage fails" : "a training is killed −9", $"{moment}");
        return wrong;
    }

    async Task ClearAsync(CancellationToken cancellation)
    {
        foreach (var container in (string[])["models", "checkpoints"])
            await cloud.Store.ClearAsync($"{container}/{KillCampaign.Prefix}", cancellation);
    }

    sealed class Training(Func<Task<string?>> run, Func<CancellationToken, Task> clear) : IWork
    {
        string? wrong;

        public async Task RunAsync(CancellationToken cancellation) => wrong = await run();

        public Task<IReadOnlyList<string>> LackingAsync(CancellationToken cancellation) =>
            Task.FromResult<IReadOnlyList<string>>(wrong is null ? [] : [wrong]);

        public Task ClearAsync(CancellationToken cancellation) => clear(cancellation);
    }
}
