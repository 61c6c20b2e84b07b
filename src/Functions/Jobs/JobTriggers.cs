using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>What keeps bulk jobs going: the messages of their queue, those that failed too often, and the look for lost ones. All
/// function processes share the work.</summary>
public sealed class JobTriggers(JobWorker worker, JobRecovery recovery, ILogger<JobTriggers> logger)
{
    [Function("JobMessages")]
    public Task Run([QueueTrigger(JobQueue.Name, Connection = BlobStores.Setting)] string message,
        CancellationToken cancellation) =>
        worker.HandleAsync(JobQueue.Read(message), giveUp: false, cancellation);

    /// <remarks>What nobody can read is dropped: there is no further queue for it, and while it is here <see cref="JobRecovery"/>
    /// waits.</remarks>
    [Function("JobPoison")]
    public async Task GiveUp([QueueTrigger(JobQueue.Poison, Connection = BlobStores.Setting)] string message,
        CancellationToken cancellation)
    {
        JobMessage readable;
        try
        {
            readable = JobQueue.Read(message);
        }
        catch (InvalidDataException fault)
        {
            logger.LogError("A message of {Queue} is dropped: {Reason} It was {Message}", JobQueue.Poison, fault.Message,
                RequestContent.Shortened(message));
            return;
        }
        await worker.HandleAsync(readable, giveUp: true, cancellation);
    }

    /// <remarks>The setting has a flat name, since hosts do not find nested ones in schedules reliably
    /// (Azure/azure-functions-host#8649, #10246). On Azure a lease lets one of all replicas do it.</remarks>
    [Function("JobRecovery")]
    public Task Recover([TimerTrigger("%VaeJobRecoverySchedule%")] TimerInfo timer, CancellationToken cancellation) =>
        recovery.RunAsync(DateTimeOffset.UtcNow, cancellation);
}
