using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;

namespace VaeFunctions.Bench.Scale;

/// <summary>A message and when somebody may take it.</summary>
sealed record Message(string Text, double Visible, int Tries = 0);

/// <summary>The queue service as the project's code sees it: what is sent goes to the simulation with the time of its
/// run.</summary>
sealed class SimulatedQueue(Conditions conditions, Action<Message> sent) : QueueServiceClient
{
    public override QueueClient GetQueueClient(string queueName) => new Client(conditions, sent);

    sealed class Client(Conditions conditions, Action<Message> sent) : QueueClient
    {
        public override Task<Response> CreateIfNotExistsAsync(
            IDictionary<string, string>? metadata = null, CancellationToken cancellationToken = default) =>
            Task.FromResult<Response>(null!);

        public override Task<Response<SendReceipt>> SendMessageAsync(string messageText, TimeSpan? visibilityTimeout = null,
            TimeSpan? timeToLive = null, CancellationToken cancellationToken = default)
        {
            sent(new(messageText, Run.Current?.Ask(conditions.Request) ?? 0));
            return Task.FromResult<Response<SendReceipt>>(null!);
        }
    }
}
