using Azure.Storage.Queues;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using VaeFunctions.LocalFunctions;

namespace VaeFunctions.Tests.Host;

/// <summary>A function that takes as long as the test wants.</summary>
public sealed class SlowFunctions(SlowFunctions.Gate gate)
{
    public sealed class Gate
    {
        int running;

        public int Running => running;

        public TaskCompletionSource Opened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task PassAsync()
        {
            Interlocked.Increment(ref running);
            await Opened.Task;
            Interlocked.Decrement(ref running);
        }
    }

    [Function("Slow")]
    public Task Slow([QueueTrigger("slow", Connection = "Storage")] string message) => gate.PassAsync();
}

public sealed class QueueTriggerTests : IAsyncLifetime
{
    readonly AzuriteFixture azurite = new();

    public Task InitializeAsync() => azurite.InitializeAsync();

    public Task DisposeAsync() => azurite.DisposeAsync();

    [SkippableFact]
    public async Task A_lease_that_cannot_be_renewed_does_not_let_in_more_work_than_the_host_may_have()
    {
        var queue = new QueueClient(azurite.ConnectionString, "slow", new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });
        await queue.CreateAsync();
        var gate = new SlowFunctions.Gate();
        var builder = new FunctionsApplicationBuilder(["--port", "0", "--Storage", azurite.ConnectionString, "--Schedule", "0 0 0 1 1 *"], typeof(SlowFunctions).Assembly);
        builder.ConfigureFunctionsWebApplication();
        builder.Services.AddSingleton(gate);
        await using var host = (LocalHost)builder.Build();
        await host.StartAsync();

        await SendTwoAsync();
        await Eventually.Async(() => RunsAsync(2));
        await queue.ClearMessagesAsync(); // what is renewed every 5 seconds is there no more
        await Task.Delay(TimeSpan.FromSeconds(7));
        await SendTwoAsync();
        await Task.Delay(TimeSpan.FromSeconds(2));
        await RunsAsync(2); // as many as host.json's batchSize

        gate.Opened.SetResult();
        await Eventually.Async(async () => Assert.Equal(0, (await queue.GetPropertiesAsync()).Value.ApproximateMessagesCount));
        await host.StopAsync();

        async Task SendTwoAsync()
        {
            for (var i = 0; i < 2; i++) await queue.SendMessageAsync("work");
        }

        Task RunsAsync(int functions)
        {
            Assert.Equal(functions, gate.Running);
            return Task.CompletedTask;
        }
    }
}
