using System.Globalization;
using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using VaeFunctions.Registry;

namespace VaeFunctions.Sweeps;

/// <summary>A storage queue, which any number of processes work off. A message stays hidden while its process lives and says so;
/// it comes back when the process has been silent for <paramref name="patience"/>.</summary>
public sealed class StorageTrials(QueueClient queue, TimeSpan patience) : ITrialQueue
{
    public TimeSpan Patience => patience;

    /// <summary>Makes the queue where it is not there yet.</summary>
    /// <exception cref="StorageException">The storage's queues do not answer.</exception>
    public static async Task<StorageTrials> OpenAsync(QueueClient queue, TimeSpan patience, CancellationToken cancellation)
    {
        var trials = new StorageTrials(queue, patience);
        try
        {
            await queue.CreateIfNotExistsAsync(cancellationToken: cancellation);
            return trials;
        }
        catch (Exception e) when (StorageFailure.Is(e, cancellation))
        {
            throw trials.Failed(e);
        }
    }

    public async Task<bool> IsEmptyAsync(CancellationToken cancellation) =>
        (await TryAsync(async () => await queue.GetPropertiesAsync(cancellation),
            cancellation))?.Value.ApproximateMessagesCount is null or 0;

    public async Task AddAsync(IEnumerable<int> trials, CancellationToken cancellation)
    {
        foreach (var trial in trials)
        {
            var text = trial.ToString(CultureInfo.InvariantCulture);
            await TryAsync(async () => await queue.SendMessageAsync(text, timeToLive: TimeSpan.FromSeconds(-1),
                cancellationToken: cancellation), cancellation);
        }
    }

    public async Task<ITrialTicket?> TakeAsync(CancellationToken cancellation)
    {
        var message = (await TryAsync(async () => await queue.ReceiveMessageAsync(patience, cancellation), cancellation))?.Value;
        if (message is null) return null;
        return int.TryParse(message.MessageText, NumberStyles.None, CultureInfo.InvariantCulture, out var trial)
            ? new Ticket(queue, trial, message.MessageId, message.PopReceipt, patience)
            : throw new StorageException($"The queue {queue.Name} holds a message that is no trial's number; delete the queue "
                + "and start the sweep again.");
    }

    public Task DeleteAsync(CancellationToken cancellation) =>
        TryAsync(() => queue.DeleteIfExistsAsync(cancellation), cancellation);

    /// <summary>A queue that is gone has nothing: the sweep ended elsewhere.</summary>
    async Task<T?> TryAsync<T>(Func<Task<T>> work, CancellationToken cancellation)
    {
        try
        {
            return await work();
        }
        catch (RequestFailedException gone) when (gone.Status == 404 || gone.ErrorCode == QueueErrorCode.QueueBeingDeleted)
        {
            return default;
        }
        catch (Exception e) when (StorageFailure.Is(e, cancellation))
        {
            throw Failed(e);
        }
    }

    StorageException Failed(Exception e) =>
        StorageFailure.Of($"Asking the queue {queue.Name} at {queue.Uri.Host} for a sweep's trials", "Storage Queue Data "
            + "Contributor", e);

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
                catch (Exception e) when (StorageFailure.Is(e, CancellationToken.None))
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
            catch (Exception e) when (StorageFailure.Is(e, CancellationToken.None))
            {
                // The message comes back after a while; the process that takes it then finds the trial's result and deletes it.
            }
        }
    }
}
