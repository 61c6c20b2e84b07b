using VaeFunctions.Registry;
using Xunit.Abstractions;

namespace VaeFunctions.Tests.Sessions;

/// <summary>A few kills of the long campaign, <c>./vae bench heal</c>.</summary>
[Collection(AzuriteFixture.Name)]
public sealed class HealingTests(AzuriteFixture azurite, ITestOutputHelper output)
{
    static string Program => Path.Combine(AppContext.BaseDirectory, "VaeFunctions.TrainingJob.dll");

    readonly ulong seed = (ulong)Random.Shared.Next();

    [Theory]
    [InlineData(Moment.Epoch)]
    [InlineData(Moment.Checkpoint)]
    [InlineData(Moment.Measuring)]
    [InlineData(Moment.Publication)]
    public async Task Killed_on_a_folder_the_next_scheduled_run_serves_the_weights_of_an_uninterrupted_one(Moment moment)
    {
        using var folder = new TemporaryFolder();
        await TryAsync(new(Program, new FolderBlobStore(folder.Path), folder.Path, null, seed, output.WriteLine), moment);
    }

    [SkippableTheory]
    [InlineData(Moment.Publication)]
    [InlineData(Moment.Storage)]
    public async Task Killed_on_an_account_the_next_scheduled_run_serves_the_weights_of_an_uninterrupted_one(Moment moment)
    {
        using var folder = new TemporaryFolder();
        using var proxy = new FaultProxy(azurite.ConnectionString);
        var account = BlobStores.Open(azurite.ConnectionString);
        await TryAsync(new(Program, account, folder.Path, proxy, seed, output.WriteLine), moment);
    }

    async Task TryAsync(KillCampaign campaign, Moment moment)
    {
        output.WriteLine($"./vae bench heal --seed {seed}");
        await campaign.MeasureAsync();
        Assert.Null(await campaign.TryAsync(moment));
    }
}
