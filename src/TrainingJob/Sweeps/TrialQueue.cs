using System.Globalization;
using Azure;
using Azure.Core;
using Azure.Storage.Queues;
using VaeFunctions.Registry;

namespace VaeFunctions.Sweeps;

/// <summary>A trial that this process has for itself, until it is done or given back.</summary>
public interface ITrialTicket : IAsyncDisposable
{
    int Trial { get; }

    /// <summary>Asks to stop when another process has the trial: this one was away for too long.</summary>
    CancellationToken Lost { get; }

    Task DoneAsync();

    /// <summary>Lets another take it at once.</summary>
    Task GiveBackAsync();
}

/// <summary>Where trials wait for a process to take them.</summary>
public interface ITrialQueue
{
    /// <summary>How long after a process died its trial comes back.</summary>
    TimeSpan Patience { get; }

    /// <summary>Whether nothing waits and nobody has anything.</summary>
    Task<bool> IsEmptyAsync(CancellationToken cancellation);

    Task AddAsync(IEnumerable<int> trials, CancellationToken cancellation);

    /// <summary>A trial, or null where none waits.</summary>
    Task<ITrialTicket?> TakeAsync(CancellationToken cancellation);

    Task DeleteAsync(CancellationToken cancellation);
}

/// <summary>Trials of this process alone, one after the other.</summary>
public sealed class LocalTrials : ITrialQueue
{
    readonly Queue<int> waiting = new();

    public TimeSpan Patience => TimeSpan.Zero;

    public Task<bool> IsEmptyAsync(CancellationToken cancellation) => Task.FromResult(waiting.Count == 0);

    public Task AddAsync(IEnumerable<int> trials, CancellationToken cancellation)
    {
        foreach (var trial in trials) waiting.Enqueue(trial);
        return Task.CompletedTask;
    }

    public Task<ITrialTicket?> TakeAsync(CancellationToken cancellation) =>
        Task.FromResult<ITrialTicket?>(waiting.TryDequeue(out var trial) ? new Ticket(trial) : null);

    public Task DeleteAsync(CancellationToken cancellation) => Task.CompletedTask;

    sealed record Ticket(int Trial) : ITrialTicket
    {
        public CancellationToken Lost => CancellationToken.None;

        public Task DoneAsync() => Task.CompletedTask;

        public Task GiveBackAsync() => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>A storage queue, which any number of processes work off. A message stays hidden while its process lives and says so;
/// it comes back when the process has been silent for <paramref name="patience"/>.</summary>
public sealed class StorageTrials(QueueClient queue, TimeSpan patience) : ITrialQueue
{
    /// <summary>The setting for an account reached by identity; the environment spells it <c>VaeStorage__queueServiceUri</c>.</summary>
    public const string UriSetting = $"{BlobStores.Setting}:queueServiceUri";

    public TimeSpan Patience => patience;

    /// <summary>The queue beside the blobs that the settings name, or null where those are a folder, which has none.</summary>
    /// <exception cref="StorageException">The account's blobs are named, but not its queues.</exception>
    public static async Task<StorageTrials?> OpenAsync(string name, TimeSpan patience, Func<string, string?> setting, Func<TokenCredential> credential, CancellationToken cancellation)
    {
        var location = setting(BlobStores.Setting);
        QueueClient queue;
        try
        {
            if (setting(UriSetting) is { Length: > 0 } address) queue = new QueueServiceClient(new Uri(address), credential()).GetQueueClient(name);
            else if (location is null || location.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
                throw new StorageException($"A sweep on a storage account needs its queues; set {BlobStores.Setting}__queueServiceUri to https://ACCOUNT.queue.core.windows.net.");
            else if (location.StartsWith("folder:", StringComparison.OrdinalIgnoreCase)) return null;
            else queue = new QueueClient(location, name);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException)
        {
            throw new StorageException($"The storage's queues cannot be opened; {BlobStores.Setting} needs a connection string with a QueueEndpoint, or {BlobStores.Setting}__queueServiceUri an address.");
        }
        var trials = new StorageTrials(queue, patience);
        await trials.TryAsync(() => queue.CreateIfNotExistsAsync(cancellationToken: cancellation));
        return trials;
    }

    public async Task<bool> IsEmptyAsync(CancellationToken cancellation) =>
        (await TryAsync(async () => await queue.GetPropertiesAsync(cancellation)))?.Value.ApproximateMessagesCount is null or 0;

    public async Task AddAsync(IEnumerable<int> trials, CancellationToken cancellation)
    {
        foreach (var trial in trials)
            await TryAsync(async () => await queue.SendMessageAsync(trial.ToString(CultureInfo.InvariantCulture), timeToLive: TimeSpan.FromSeconds(-1), cancellationToken: cancellation));
    }

    public async Task<ITrialTicket?> TakeAsync(CancellationToken cancellation)
    {
        var message = (await TryAsync(async () => await queue.ReceiveMessageAsync(patience, cancellation)))?.Value;
        if (message is null) return null;
        return int.TryParse(message.MessageText, NumberStyles.None, CultureInfo.InvariantCulture, out var trial)
            ? new Ticket(queue, trial, message.MessageId, message.PopReceipt, patience)
            : throw new StorageException($"The queue {queue.Name} holds a message that is no trial's number; delete the queue and start the sweep again.");
    }

    public Task DeleteAsync(CancellationToken cancellation) => TryAsync(() => queue.DeleteIfExistsAsync(cancellation));

    /// <summary>A queue that is gone has nothing: the sweep ended elsewhere.</summary>
    async Task<T?> TryAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (RequestFailedException gone) when (gone.Status == 404)
        {
            return default;
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            throw new StorageException($"The queue {queue.Name} of {queue.Uri.Host} does not answer: {(e is RequestFailedException { ErrorCode: { } code } ? code : e.Message)}", e);
        }
    }

    sealed class Ticket : ITrialTicket
    {
        readonly QueueClient queue;
        readonly string message;
        readonly TimeSpan patience;
        readonly CancellationTokenSource lost = new(), done = new();
        readonly Task renewing;
        string receipt;

        public Ticket(QueueClient queue, int trial, string message, string receipt, TimeSpan patience)
        {
            (this.queue, this.message, this.receipt, this.patience) = (queue, message, receipt, patience);
            (Trial, Lost) = (trial, lost.Token);
            renewing = Task.Run(RenewAsync);
        }

        public int Trial { get; }

        public CancellationToken Lost { get; }

        public async Task DoneAsync()
        {
            await EndAsync();
            await IgnoreLossAsync(() => queue.DeleteMessageAsync(message, receipt));
        }

        public async Task GiveBackAsync()
        {
            await EndAsync();
            await IgnoreLossAsync(() => queue.UpdateMessageAsync(message, receipt, visibilityTimeout: TimeSpan.Zero));
        }

        public async ValueTask DisposeAsync()
        {
            await EndAsync();
            lost.Dispose();
            done.Dispose();
        }

        async Task EndAsync()
        {
            await done.CancelAsync();
            await renewing;
        }

        /// <summary>Keeps the message hidden. What fails for another reason than its loss is tried again, in time.</summary>
        async Task RenewAsync()
        {
            while (true)
            {
                await Task.Delay(patience / 4, done.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (done.IsCancellationRequested) return;
                try
                {
                    receipt = (await queue.UpdateMessageAsync(message, receipt, visibilityTimeout: patience)).Value.PopReceipt;
                }
                catch (RequestFailedException e) when (e.Status is 404 or 400)
                {
                    await lost.CancelAsync();
                    return;
                }
                catch (Exception e) when (e is RequestFailedException or AggregateException)
                {
                }
            }
        }

        static async Task IgnoreLossAsync(Func<Task> work)
        {
            try
            {
                await work();
            }
            catch (Exception e) when (e is RequestFailedException or AggregateException)
            {
                // It comes back, and whoever takes it finds the result there.
            }
        }
    }
}
