using System.Threading.Channels;

namespace VaeFunctions.Serving;

/// <summary>Joins the rows of requests that come at the same time into runs of a graph.</summary>
/// <remarks>
/// While runs are under way, what comes gathers for the next one. After a run that several shared, the next waits a moment for
/// company; a lone request never does. The queue is bounded: what does not fit is refused at once rather than answered late.
/// </remarks>
/// <typeparam name="TIn">An input's element.</typeparam>
/// <typeparam name="TOut">An output's element.</typeparam>
sealed class Batcher<TIn, TOut> : IDisposable
{
    readonly int inputWidth, largest, longestQueue;
    readonly TimeSpan wait;
    readonly RunRows<TIn, TOut> run;
    readonly BatchMetrics metrics;
    readonly Channel<Item> queue = Channel.CreateUnbounded<Item>();
    int queued;

    /// <param name="inputWidth">Elements of an input row.</param>
    public Batcher(int inputWidth, ServingOptions options, BatchMetrics metrics, RunRows<TIn, TOut> run)
    {
        (this.inputWidth, this.run, this.metrics) = (inputWidth, run, metrics);
        (largest, wait, longestQueue) =
            (options.LargestBatch, TimeSpan.FromMilliseconds(options.BatchWaitMilliseconds), options.MaxQueuedImages);
        for (var i = 0; i < options.RunsAtOnce; i++)
            _ = Task.Run(WorkAsync);
    }

    /// <summary>Output rows for input rows; the rows of a call may be shared out among runs.</summary>
    /// <param name="rows">[N, inputWidth]</param>
    /// <exception cref="OverloadedException">The queue is full.</exception>
    public async Task<TOut[]> RunAsync(TIn[] rows, long[]? labels, CancellationToken cancellation)
    {
        var count = rows.Length / inputWidth;
        // An empty queue takes a request of any size: other limits hold for a single request.
        if (Interlocked.Add(ref queued, count) is var length && length > longestQueue && length > count)
        {
            Interlocked.Add(ref queued, -count);
            throw new OverloadedException(length - count, longestQueue);
        }
        metrics.Queued(count);
        Item[] items = count <= largest ? [new(rows, labels, count, cancellation)]
            : [.. Enumerable.Range(0, (count + largest - 1) / largest).Select(i => new Item(
                rows[(i * largest * inputWidth)..Math.Min((i + 1) * largest * inputWidth, rows.Length)],
                labels?[(i * largest)..Math.Min((i + 1) * largest, count)],
                Math.Min(largest, count - i * largest), cancellation))];
        foreach (var item in items)
            if (!queue.Writer.TryWrite(item))
                item.Fail(new ObjectDisposedException(nameof(Batcher<,>)));
        return items is [var only] ? await only.Result : Rows.Join(await Task.WhenAll(items.Select(item => item.Result)));
    }

    /// <summary>Ends after what is queued.</summary>
    public void Dispose() => queue.Writer.TryComplete();

    async Task WorkAsync()
    {
        var together = new List<Item>();
        var shared = false;
        while (await queue.Reader.WaitToReadAsync())
        {
            if (shared && wait > TimeSpan.Zero)
                await GatherAsync();
            Take(together);
            shared = together.Count > 1;
            RunTogether(together);
            together.Clear();
            await Task.Yield(); // work that waits for a thread, such as writing answers, goes before the next run
        }
    }

    /// <summary>Waits a moment, or until a batch is full.</summary>
    async Task GatherAsync()
    {
        var end = Environment.TickCount64 + (long)Math.Ceiling(wait.TotalMilliseconds);
        while (Volatile.Read(ref queued) < largest && Environment.TickCount64 < end)
            await Task.Delay(1);
    }

    void Take(List<Item> together)
    {
        var rows = 0;
        lock (queue) // no other reader may take the item between the look at its size and the read
        {
            while (queue.Reader.TryPeek(out var next) && rows + next.Count <= largest && queue.Reader.TryRead(out next))
            {
                Interlocked.Add(ref queued, -next.Count);
                metrics.Queued(-next.Count);
                if (next.TryCancel())
                    continue;
                rows += next.Count;
                together.Add(next);
            }
        }
    }

    void RunTogether(List<Item> together)
    {
        if (together is [])
            return;
        try
        {
            var count = together.Sum(item => item.Count);
            var labels = together[0].Labels is null ? null : together.SelectMany(item => item.Labels!).ToArray();
            run(together is [var only] ? only.Rows : Rows.Join(together.Select(item => item.Rows)), labels, count, results =>
            {
                metrics.Ran(count);
                var width = results.Length / count;
                foreach (var item in together)
                {
                    item.Succeed(results[..(item.Count * width)].ToArray());
                    results = results[(item.Count * width)..];
                }
            });
        }
        catch (Exception fault)
        {
            foreach (var item in together)
                item.Fail(fault);
        }
    }

    sealed class Item
    {
        readonly TaskCompletionSource<TOut[]> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly CancellationToken cancellation;

        public Item(TIn[] rows, long[]? labels, int count, CancellationToken cancellation) =>
            (Rows, Labels, Count, this.cancellation) = (rows, labels, count, cancellation);

        public TIn[] Rows { get; }

        public long[]? Labels { get; }

        public int Count { get; }

        public Task<TOut[]> Result => result.Task;

        /// <summary>Ends the item where nobody waits for it any more.</summary>
        public bool TryCancel() => cancellation.IsCancellationRequested && result.TrySetCanceled(cancellation);

        public void Succeed(TOut[] rows) => result.TrySetResult(rows);

        public void Fail(Exception fault) => result.TrySetException(fault);
    }
}

/// <summary>A run of a graph.</summary>
/// <param name="rows">[N, …], one after the other.</param>
/// <param name="labels">[N] or null.</param>
/// <param name="take">Called once with the output's rows, [N, …], which last no longer than the call.</param>
delegate void RunRows<TIn, TOut>(TIn[] rows, long[]? labels, int count, Action<ReadOnlySpan<TOut>> take);

static class Rows
{
    /// <summary>All parts one after the other.</summary>
    public static T[] Join<T>(IEnumerable<T[]> parts)
    {
        T[][] all = [.. parts];
        var joined = new T[all.Sum(part => part.Length)];
        var start = 0;
        foreach (var part in all)
        {
            part.CopyTo(joined, start);
            start += part.Length;
        }
        return joined;
    }
}
