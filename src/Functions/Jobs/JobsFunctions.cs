using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Options;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Bulk jobs: an operation on all images under a prefix, results under another. Work is shared by all function processes.</summary>
public sealed class JobsFunctions(ModelProvider models, JobStore jobs, JobQueue queue, JobWorker worker, JobRecovery recovery, IOptions<ServingOptions> options, ILogger<JobsFunctions> logger)
{
    static readonly Field Operation = Field.Choice("operation", "What to do with each image.", "reconstruct", "encode", "anomaly");
    static readonly Field Input = new("input", FieldType.Text, "The prefix of the images' paths, such as inbox/faces/2026.");
    static readonly Field Output = new("output", FieldType.Text, "The folder for the results, such as results/faces/2026/.");
    static readonly Field[] Fields = [Operation, Input, Output, Field.Label];

    [Function("StartJob")]
    [Describes("Start a bulk job; the answer's Location says where its status is.", Fields = nameof(Fields), Status = 202)]
    public async Task<IActionResult> Start(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/jobs")] HttpRequest request, string model, CancellationToken cancellation)
    {
        using var session = await models.LeaseAsync(request, model, cancellation);
        var content = await RequestContent.ReadAsync(request, Fields, cancellation);
        var (input, output) = Paths(content);
        string? label = content.Labels(session, 1) is [var number] ? session.Labels[(int)number] : null;
        queue.Demand();
        var id = $"{DateTime.UtcNow:yyyyMMdd't'HHmmss}-{Guid.NewGuid():n}"[..28];
        var job = new Job(id, model, content.Choice(Operation), input, output, label, options.Value.JobSliceSize, DateTimeOffset.UtcNow);
        await jobs.CreateAsync(job, cancellation);
        await queue.CreateAsync(cancellation);
        await queue.SendAsync(new(model, id), cancellation);
        await jobs.MarkOpenAsync(job, cancellation);

        var status = $"{request.Path.Value!.TrimEnd('/')}/{id}";
        request.HttpContext.Response.Headers.Location = status;
        return Answers.Json(new { id, status, job = await jobs.StatusAsync(job, cancellation) }, StatusCodes.Status202Accepted);
    }

    [Function("Job")]
    [Describes("Say where a bulk job is: images done, failed and remaining.")]
    public async Task<IActionResult> Show(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "models/{model}/jobs/{id}")] HttpRequest request, string model, string id, CancellationToken cancellation) =>
        Answers.Json(await jobs.StatusAsync(await FindAsync(model, id, cancellation), cancellation));

    [Function("CancelJob")]
    [Describes("Cancel a bulk job; results that are there stay.")]
    public async Task<IActionResult> Cancel(
        [HttpTrigger(AuthorizationLevel.Function, "delete", Route = "models/{model}/jobs/{id}")] HttpRequest request, string model, string id, CancellationToken cancellation)
    {
        var job = await FindAsync(model, id, cancellation);
        await jobs.CancelAsync(job, cancellation);
        return Answers.Json(await jobs.StatusAsync(job, cancellation));
    }

    [Function("JobMessages")]
    public Task Run([QueueTrigger(JobQueue.Name, Connection = BlobStores.Setting)] string message, CancellationToken cancellation) =>
        worker.RunAsync(JobQueue.Read(message), giveUp: false, cancellation);

    /// <remarks>What nobody can read is dropped: there is no further queue for it, and while it is here <see cref="JobRecovery"/> waits.</remarks>
    [Function("JobPoison")]
    public async Task GiveUp([QueueTrigger(JobQueue.Poison, Connection = BlobStores.Setting)] string message, CancellationToken cancellation)
    {
        JobMessage readable;
        try
        {
            readable = JobQueue.Read(message);
        }
        catch (InvalidDataException fault)
        {
            logger.LogError("A message of {Queue} is dropped: {Reason} It was {Message}", JobQueue.Poison, fault.Message, RequestContent.Shortened(message));
            return;
        }
        await worker.RunAsync(readable, giveUp: true, cancellation);
    }

    /// <remarks>The setting has a flat name, since hosts do not find nested ones in schedules reliably (Azure/azure-functions-host#8649, #10246).
    /// On Azure a lease lets one of all replicas do it.</remarks>
    [Function("JobRecovery")]
    public Task Recover([TimerTrigger("%VaeJobRecoverySchedule%")] TimerInfo timer, CancellationToken cancellation) => recovery.RunAsync(cancellation);

    async Task<Job> FindAsync(string model, string id, CancellationToken cancellation) => await jobs.FindAsync(model, id, cancellation)
        ?? throw new RequestException(StatusCodes.Status404NotFound, $"{RequestContent.Shortened(model)} has no job {RequestContent.Shortened(id)}; POST models/MODEL/jobs starts one and says its id.");

    (string Input, string Output) Paths(RequestContent content)
    {
        string input = Path(Input, options.Value.ReadableContainers), output = Path(Output, options.Value.WritableContainers);
        if (!output.EndsWith('/'))
            throw RequestException.Invalid($"output is {output}; give a folder, which ends in /.");
        // What a job wrote would be what it reads.
        if (output.StartsWith(input, StringComparison.Ordinal))
            throw RequestException.Invalid($"output, {output}, lies under input, {input}; give a folder outside of it.");
        return (input, output);

        string Path(Field field, string[] containers)
        {
            if (!content.Has(field))
                throw RequestContent.Missing(field);
            var path = content[field]?.ToString() ?? "";
            if (!containers.Contains(path.Split('/')[0]) || !path.Contains('/'))
                throw RequestException.Invalid($"{field.Name} is {RequestContent.Shortened(path)}; give a path in {string.Join(" or ", containers)}, such as {containers[0]}/MODEL/.");
            try
            {
                BlobStores.CheckPrefix(path);
            }
            catch (ArgumentException fault)
            {
                throw RequestException.Invalid($"{field.Name}: {fault.Message}", fault);
            }
            return path;
        }
    }
}
