using VaeFunctions.LocalCloud;

namespace VaeFunctions.Tests.Host;

public sealed class WorkerPoolTests
{
    [SkippableFact]
    public async Task A_worker_that_ends_again_and_again_soon_after_its_start_is_given_up()
    {
        var azurite = new AzuriteFixture();
        await azurite.InitializeAsync();
        try
        {
            await using var app = await FunctionsApp.StartAsync(azurite.ConnectionString);
            for (var kills = 0; kills < 3; kills++)
            {
                await Eventually.Async(() =>
                {
                    Assert.NotEmpty(app.Workers);
                    return Task.CompletedTask;
                });
                await app.KillWorkerAsync();
                await Eventually.Async(() =>
                {
                    Assert.Empty(app.Workers);
                    return Task.CompletedTask;
                });
            }
            var fault = await Assert.ThrowsAsync<LocalCloudException>(() => app.Ended.WaitAsync(TimeSpan.FromSeconds(20)));
            Assert.Contains("3 times in a row", fault.Message, StringComparison.Ordinal);
        }
        finally
        {
            await azurite.DisposeAsync();
        }
    }
}
