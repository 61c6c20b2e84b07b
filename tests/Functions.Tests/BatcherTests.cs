using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

public sealed class BatcherTests : IDisposable
{
    /// <summary>All cores for one run.</summary>
    static readonly ServingOptions OneRun = new() { RuntimeThreads = 0 };

    readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    readonly ServingMetrics metrics;
    readonly ManualResetEventSlim open = new(true);
    readonly List<int> runs = [];

    public BatcherTests() => metrics = new ServingMetrics(services.GetRequiredService<IMeterFactory>());

    public void Dispose()
    {
        metrics.Dispose();
        services.Dispose();
        open.Dispose();
    }

    /// <summary>Doubles rows of two numbers, when it is let.</summary>
    Batcher<float, float> Doubling(int largest = 8, int queue = 100) =>
        new(2, OneRun with { LargestBatch = largest, MaxQueuedImages = queue }, metrics.For("model", "graph"),
            (rows, labels, count, take) =>
        {
            open.Wait();
            lock (runs) runs.Add(count);
            take(Array.ConvertAll(rows[..(2 * count)], row => row * 2 + (labels?[0] ?? 0)));
        });

    [Fact]
    public async Task Rows_that_wait_together_run_together_and_return_to_their_callers()
    {
        using var batcher = Doubling();
        open.Reset();
        var first = batcher.RunAsync([0, 0], null, default);
        Task<float[]>[] others = [.. Enumerable.Range(1, 5).Select(i => batcher.RunAsync([i, -i], null, default))];
        open.Set();
        for (var i = 0; i < others.Length; i++)
            Assert.Equal([2f * (i + 1), -2f * (i + 1)], await others[i]);
        Assert.Equal(6, runs.Sum());
        Assert.True(runs.Count <= 3, $"{string.Join(", ", runs)}"); // the first alone or in company, the others in one or two
    }

    [Fact]
    public async Task A_request_larger_than_a_batch_is_cut_and_put_together_again()
    {
        using var batcher = Doubling(largest: 8);
        float[] rows = [.. Enumerable.Range(0, 40).Select(i => (float)i)];
        Assert.Equal(rows.Select(row => 2 * row), await batcher.RunAsync(rows, null, default));
        Assert.Equal([8, 8, 4], runs);
    }

    [Fact]
    public async Task Runs_of_one_thread_are_under_way_on_every_core_at_once()
    {
        using var together = new Barrier(Environment.ProcessorCount);
        using var batcher = new Batcher<float, float>(
            1, new() { RuntimeThreads = 1, LargestBatch = 1 }, metrics.For("model", "graph"), (rows, _, _, take) =>
        {
            Assert.True(together.SignalAndWait(TimeSpan.FromSeconds(30)));
            take(rows);
        });
        var results = await Task.WhenAll(
            Enumerable.Range(0, Environment.ProcessorCount).Select(i => batcher.RunAsync([i], null, default)));
        Assert.Equal(Enumerable.Range(0, Environment.ProcessorCount).Select(i => (float)i), results.Select(rows => rows[0]));
    }

    [Fact]
    public async Task What_the_queue_cannot_hold_is_refused_at_once_and_what_waits_is_still_answered()
    {
        using var batcher = Doubling(largest: 1, queue: 3);
        open.Reset();
        var waiting = new List<Task<float[]>>();
        // One runs at most, three wait, and one of these five must be refused.
        var refused = await Assert.ThrowsAsync<OverloadedException>(async () =>
        {
            for (var i = 0; i < 5; i++)
            {
                var task = batcher.RunAsync([i, i], null, default);
                if (task.IsFaulted)
                    await task;
                waiting.Add(task);
            }
        });
        Assert.Contains("at most 3", refused.Message, StringComparison.Ordinal);
        open.Set();
        await Task.WhenAll(waiting);
    }

    [Fact]
    public async Task A_failed_run_fails_its_requests_and_the_next_ones_are_served()
    {
        var fail = true;
        using var batcher = new Batcher<float, float>(
            1, OneRun, metrics.For("model", "graph"), (rows, _, _, take) =>
            take(fail ? throw new InvalidDataException("no") : rows));
        await Assert.ThrowsAsync<InvalidDataException>(() => batcher.RunAsync([1], null, default));
        fail = false;
        Assert.Equal(new float[] { 2 }, await batcher.RunAsync([2], null, default));
    }

    [Fact]
    public async Task A_request_that_nobody_waits_for_is_not_run()
    {
        using var batcher = Doubling(largest: 1);
        open.Reset();
        var first = batcher.RunAsync([1, 1], null, default);
        using var source = new CancellationTokenSource();
        var second = batcher.RunAsync([2, 2], null, source.Token);
        var third = batcher.RunAsync([3, 3], null, default);
        await source.CancelAsync();
        open.Set();
        await third;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await first;
        Assert.Equal([1, 1], runs);
    }

    [Fact]
    public void Refused_requests_are_counted_by_reason_and_the_others_are_not()
    {
        var seen = new List<(string Name, string Reason)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, all) =>
            { if (instrument.Name == "vae.rejections") all.EnableMeasurementEvents(instrument); }
        };
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) =>
        {
            var all = tags.ToArray().ToDictionary(tag => tag.Key, tag => $"{tag.Value}");
            if (all["vae.function"] == "Counted")
                lock (seen) seen.Add((all["vae.model"], all["vae.reason"]));
        });
        listener.Start();
        metrics.Answered("Counted", "faces", 200, TimeSpan.Zero);
        metrics.Answered("Counted", "faces", 503, TimeSpan.Zero, "queue full");
        metrics.Answered("Counted", null, 404, TimeSpan.Zero, "not found");
        Assert.Equal([("faces", "queue full"), ("", "not found")], seen);
    }

    [Fact]
    public async Task Batches_are_measured_by_model()
    {
        var seen = new List<(string Name, int Value, object? Model)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, all) =>
            { if (instrument.Meter.Name == ServingMetrics.Name) all.EnableMeasurementEvents(instrument); }
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) =>
        {
            lock (seen) seen.Add((instrument.Name, value, tags.ToArray().Single(tag => tag.Key == "vae.model").Value));
        });
        listener.Start();
        using var batcher = new Batcher<float, float>(
            2, OneRun, metrics.For("measured", "graph"), (rows, _, _, take) => take(rows));
        await batcher.RunAsync(new float[6], null, default);
        Assert.Equal([("vae.queue.depth", 3, "measured"), ("vae.queue.depth", -3, "measured"), ("vae.batch.size", 3, "measured")],
            seen.Where(line => (string)line.Model! == "measured"));
    }
}
