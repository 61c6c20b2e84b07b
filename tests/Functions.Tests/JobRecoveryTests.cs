using Azure.Storage.Queues;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using VaeFunctions.LocalCloud;
using VaeFunctions.Registry;
using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

/// <summary>What the timer function does, step by step; that it runs at its time is in <see cref="JobTests"/>.</summary>
public sealed class JobRecoveryTests : IAsyncLifetime
{
    static readonly Job Job = new("20260102t030405-0a", "tiny", "encode", "pictures/a/", "made/", null, 7,
        new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    readonly AzuriteFixture azurite = new();
    AzureBlobStore store = null!;
    JobStore jobs = null!;
    JobRecovery recovery = null!;
    QueueClient queue = null!, poison = null!;

    public async Task InitializeAsync()
    {
        await azurite.InitializeAsync();
        store = new AzureBlobStore(new(azurite.ConnectionString));
        jobs = new JobStore(store);
        var options = new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 };
        recovery = new JobRecovery(jobs, new JobQueue(() => new(azurite.ConnectionString, options)),
            NullLogger<JobRecovery>.Instance);
        (queue, poison) = (new(azurite.ConnectionString, JobQueue.Name, options),
            new(azurite.ConnectionString, JobQueue.Poison, options));
        await jobs.CreateAsync(Job, default);
        await jobs.MarkOpenAsync(Job, default);
    }

    public Task DisposeAsync() => azurite.DisposeAsync();

    /// <summary>Three slices, of which the middle one is worked off.</summary>
    async Task CutAsync(bool all)
    {
        for (var slice = 0; slice < 3; slice++)
            await jobs.SaveSliceAsync(Job, slice, [new($"pictures/a/{slice}.png")], default);
        await jobs.SaveAsync(Job, new(3, 3, all), default);
        await jobs.SaveDoneAsync(Job, 1, 1, [], default);
    }

    /// <summary>The slices that messages ask for, null for the listing, after another look.</summary>
    async Task<List<int?>> RecoverAsync(TimeSpan later = default)
    {
        await recovery.RunAsync(DateTimeOffset.UtcNow + later, default);
        var messages = (await queue.ReceiveMessagesAsync(32, TimeSpan.FromHours(1))).Value;
        return [.. messages.Select(message => JobQueue.Read(message.Body.ToString())).Where(message => message.Job == Job.Id)
            .Select(message => message.Slice)];
    }

    ValueTask<int> MarkersAsync() => jobs.OpenAsync(default).CountAsync();

    [SkippableFact]
    public async Task What_is_not_worked_off_is_sent_again_once()
    {
        await CutAsync(all: true);
        Assert.Equal([0, 2], await RecoverAsync());
        Assert.Equal([], await RecoverAsync()); // those messages are somebody's now
        await queue.DeleteAsync();
        await Eventually.Async(async () => Assert.Equal([0, 2], await RecoverAsync())); // also where the queue is gone
    }

    [SkippableFact]
    public async Task A_listing_that_was_interrupted_goes_on_beside_the_slices_that_it_cut()
    {
        await CutAsync(all: false);
        Assert.Equal([0, 2, null], await RecoverAsync());
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nothing_is_sent_while_a_message_is_there_even_where_nobody_sees_it(bool failed)
    {
        await CutAsync(all: true);
        var holder = failed ? poison : queue;
        await holder.CreateIfNotExistsAsync();
        var message = (await holder.SendMessageAsync("{}", TimeSpan.FromHours(1), TimeSpan.FromSeconds(-1))).Value;
        Assert.Equal([], await RecoverAsync());
        await holder.DeleteMessageAsync(message.MessageId, message.PopReceipt);
        Assert.Equal([0, 2], await RecoverAsync());
    }

    [SkippableFact]
    public async Task What_somebody_took_and_nobody_works_on_is_sent_again_after_a_silence()
    {
        await CutAsync(all: true);
        await queue.CreateIfNotExistsAsync();
        await queue.SendMessageAsync("""{"model": "tiny", "job": "another"}""");
        Assert.Equal([], await RecoverAsync(later: JobRecovery.Silence)); // it waits for somebody, who takes it here for an hour
        Assert.Equal([], await RecoverAsync(later: JobRecovery.Silence / 2));
        Assert.Equal([0, 2], await RecoverAsync(later: JobRecovery.Silence));
    }

    [SkippableFact]
    public async Task A_worker_that_is_at_a_job_for_long_says_so()
    {
        await CutAsync(all: true);
        var begun = (await jobs.OpenAsync(default).SingleAsync()).Touched;
        var clock = new FakeTimeProvider();
        var watch = new JobWatch(jobs, Job, clock);
        await Task.Delay(1100); // a storage counts in seconds
        clock.Advance(JobWatch.Pause);
        Assert.False(await watch.IsOverAsync(default));
        Assert.Equal(begun, (await jobs.OpenAsync(default).SingleAsync()).Touched);
        clock.Advance(JobWatch.Heartbeat);
        Assert.False(await watch.IsOverAsync(default));
        Assert.True((await jobs.OpenAsync(default).SingleAsync()).Touched > begun);
    }

    [SkippableFact]
    public async Task A_job_that_only_lacks_its_end_is_ended()
    {
        await CutAsync(all: true);
        await jobs.SaveDoneAsync(Job, 0, 1, [], default);
        await jobs.SaveDoneAsync(Job, 2, 0, [new("pictures/a/2.png", "no image")], default);
        Assert.Equal([], await RecoverAsync());
        Assert.Equal("completed", (await jobs.StatusAsync(Job, default)).State);
        Assert.Equal(0, await MarkersAsync());
    }

    [SkippableTheory]
    [InlineData("cancelled")]
    [InlineData("failed")]
    [InlineData("finished")]
    [InlineData("deleted")]
    public async Task A_job_that_is_over_has_no_marker_and_gets_no_message(string how)
    {
        await CutAsync(all: true);
        await (how switch
        {
            "cancelled" => jobs.CancelAsync(Job, default),
            "failed" => jobs.FailAsync(Job, "no reason", default),
            "finished" => store.WriteAsync($"jobs/tiny/{Job.Id}/finished.json", new("{}")),
            _ => store.DeleteAsync($"jobs/tiny/{Job.Id}/job.json"),
        });
        if (how is "cancelled" or "failed")
            Assert.Equal(0, await MarkersAsync());
        await jobs.MarkOpenAsync(Job, default); // as if it had ended before it was marked
        Assert.Equal([], await RecoverAsync());
        Assert.Equal(0, await MarkersAsync());
    }

    /// <param name="writes">How many writes, of marker and job, there are before the storage is gone.</param>
    /// <param name="exists">Whether the job is there nevertheless.</param>
    [SkippableTheory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public async Task A_start_that_breaks_off_leaves_no_job_that_nobody_works_on(int writes, bool exists)
    {
        await ForgetAsync();
        var gone = new JobQueue(() => new(Azurite.ConnectionString(9), new() { Retry = { MaxRetries = 0 } }));
        await Assert.ThrowsAsync<StorageException>(() => gone.StartAsync(Job, new(new Failing(store, writes)), default));
        Assert.Equal(exists, await jobs.FindAsync(Job.Model, Job.Id, default) is not null);
        Assert.Equal(exists ? [null] : [], await RecoverAsync());
    }

    [SkippableFact]
    public async Task A_job_that_is_being_created_keeps_its_marker_for_an_hour()
    {
        await ForgetAsync();
        await jobs.MarkStartingAsync(Job, default);
        Assert.Equal([], await RecoverAsync(later: JobRecovery.LongestStart - TimeSpan.FromMinutes(1)));
        await jobs.CreateAsync(Job, default);
        Assert.Equal([null], await RecoverAsync());

        await ForgetAsync();
        await jobs.MarkStartingAsync(Job, default);
        Assert.Equal([], await RecoverAsync(later: JobRecovery.LongestStart));
        Assert.Equal(0, await MarkersAsync());
    }

    /// <summary>As if nobody had asked for the job; the queues are there.</summary>
    async Task ForgetAsync()
    {
        await jobs.CloseAsync(Job.Model, Job.Id, default);
        await store.DeleteAsync($"jobs/tiny/{Job.Id}/job.json");
        await queue.DeleteIfExistsAsync();
        await Eventually.Async(() => queue.CreateIfNotExistsAsync());
    }

    /// <summary>Fails at a write and at all after it.</summary>
    sealed class Failing(IBlobStore store, int writes) : PassingStore(store)
    {
        public override Task<string> WriteAsync(
            string path, BinaryData content, WriteCondition condition, CancellationToken cancellation) =>
            writes-- > 0 ? base.WriteAsync(path, content, condition, cancellation) : throw new StorageException("It is gone.");
    }
}
