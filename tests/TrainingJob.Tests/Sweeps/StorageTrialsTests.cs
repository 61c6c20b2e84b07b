using Azure;
using Azure.Core;
using Azure.Identity;
using Azure.Storage.Queues;
using VaeFunctions.Registry;
using VaeFunctions.Sweeps;

namespace VaeFunctions.Tests.Sweeps;

[Collection(AzuriteFixture.Name)]
public sealed class StorageTrialsTests(AzuriteFixture azurite)
{
    sealed class NoCredential(Exception fault) : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext context, CancellationToken cancellation) => throw fault;

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext context, CancellationToken cancellation) =>
            throw fault;
    }

    public static TheoryData<Exception> Faults { get; } =
        [new AuthenticationFailedException("nobody is signed in"), new TaskCanceledException("took too long")];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Credentials_that_fail_and_time_limits_are_failures_of_the_storage(Exception fault)
    {
        var options = new QueueClientOptions { Retry = { MaxRetries = 0 } };
        var trials = new StorageTrials(new QueueClient(new("https://nowhere.invalid/sweep"), new NoCredential(fault), options),
            TimeSpan.FromSeconds(4));
        var failure = await Assert.ThrowsAsync<StorageException>(() => trials.TakeAsync(default));
        Assert.Contains("cannot be reached", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_queue_that_cannot_be_made_is_a_failure_of_the_storage() =>
        await Assert.ThrowsAsync<StorageException>(() => StorageTrials.OpenAsync(
            new QueueClient(new("https://nowhere.invalid/sweep-1"),
                new NoCredential(new AuthenticationFailedException("nobody is signed in"))), TimeSpan.FromSeconds(4), default));

    [Theory]
    [InlineData(403, "AuthorizationPermissionMismatch", "Storage Queue Data Contributor")]
    [InlineData(409, "QueueBeingDeleted", "Try again in a minute")]
    [InlineData(503, "ServerBusy", "too busy")]
    public void Answers_of_the_storage_come_with_a_remedy(int status, string code, string remedy)
    {
        var fault = new RequestFailedException(status, "no", code, null);
        var failure = StorageFailure.Of("Asking", "Storage Queue Data Contributor", fault);
        Assert.Contains(remedy, failure.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_message_that_another_took_is_lost_and_failing_storage_is_borne()
    {
        var queue = new QueueClient(azurite.ConnectionString, $"sweep-{Guid.NewGuid():n}"[..20]);
        await queue.CreateAsync();
        var trials = new StorageTrials(queue, TimeSpan.FromSeconds(2));
        await trials.AddAsync([7], default);
        await using var ticket = await trials.TakeAsync(default);
        Assert.Equal(7, ticket!.Trial);
        await queue.DeleteAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(TimeSpan.FromSeconds(30), ticket.Lost));
        await ticket.DoneAsync();
        Assert.Null(await trials.TakeAsync(default));
        Assert.True(await trials.IsEmptyAsync(default));
    }
}
