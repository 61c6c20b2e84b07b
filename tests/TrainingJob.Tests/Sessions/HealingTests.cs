using VaeFunctions.Registry;
using Xunit.Abstractions;

namespace VaeFunctions.Tests.Sessions;

/// <summary>Campaigns on a folder and on an account; the uninterrupted run is made once for all kills of each.</summary>
public sealed class HealingCampaigns : IDisposable
{
    static readonly string program = Path.Combine(AppContext.BaseDirectory, "VaeFunctions.TrainingJob.dll");

    readonly TemporaryFolder onFolder = new(), onAccount = new();
    readonly Lazy<Task<KillCampaign>> folder, account;
    FaultProxy? proxy;

    public HealingCampaigns(AzuriteFixture azurite)
    {
        folder = new(() => BeginAsync(new(
            program, new FolderBlobStore(onFolder.Path), onFolder.Path, null, Seed, _ => { })));
        account = new(() => BeginAsync(new(program, BlobStores.Open(azurite.ConnectionString), onAccount.Path,
            proxy = new(azurite.ConnectionString), Seed, _ => { })));
    }

    internal ulong Seed { get; } = (ulong)Random.Shared.Next();

    internal Task<KillCampaign> Folder => folder.Value;

    internal Task<KillCampaign> Account => account.Value;

    static async Task<KillCampaign> BeginAsync(KillCampaign campaign)
    {
        await campaign.MeasureAsync();
        return campaign;
    }

    public void Dispose()
    {
        proxy?.Dispose();
        onFolder.Dispose();
        onAccount.Dispose();
    }
}

/// <summary>A few kills of the long campaign, <c>./vae bench heal</c>.</summary>
[Collection(AzuriteFixture.Name)]
public sealed class HealingTests(HealingCampaigns campaigns, ITestOutputHelper output) : IClassFixture<HealingCampaigns>
{
    [Theory]
    [InlineData(Moment.Epoch)]
    [InlineData(Moment.Checkpoint)]
    [InlineData(Moment.Measuring)]
    [InlineData(Moment.Publication)]
    public async Task Killed_on_a_folder_the_next_scheduled_run_serves_the_weights_of_an_uninterrupted_one(Moment moment) =>
        await TryAsync(await campaigns.Folder, moment);

    [SkippableTheory]
    [InlineData(Moment.Publication)]
    [InlineData(Moment.Storage)]
    public async Task Killed_on_an_account_the_next_scheduled_run_serves_the_weights_of_an_uninterrupted_one(Moment moment) =>
        await TryAsync(await campaigns.Account, moment);

    async Task TryAsync(KillCampaign campaign, Moment moment)
    {
        output.WriteLine($"./vae bench heal --seed {campaigns.Seed}");
        Assert.Null(await campaign.TryAsync(moment));
    }
}
