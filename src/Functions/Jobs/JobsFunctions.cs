using Microsoft.Azure.Functions.Worker;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Bulk jobs: an operation on all images under a prefix, or on none, and results under another.</summary>
public sealed class JobsFunctions(
    ModelCalls calls, ModelProvider models, ModelRegistry registry, RequestLatents latents, JobStore jobs, JobQueue queue)
{
    const int MostListed = 50, ReadAtOnce = 8;

    static readonly Field[] Fields = JobFields.All;

    [Function("StartJob")]
    [Describes("Start a bulk job; the answer's Location says where its status is.", Fields = nameof(Fields), Status = 202)]
    public async Task<Answer<JobStarted>> Start(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "models/{model}/jobs")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        using var call = await calls.BindAsync(request, model, Fields, [], cancellation);
        var operation = JobOperation.Of(call.Content.Choice(JobFields.Operation));
        CheckFields(call, operation);
        var (input, output) = Paths(call, operation);
        var format = call.Content.Choice(JobFields.Format);
        var parameters = await operation.ReadAsync(call, latents);
        string? label = parameters.Labels is null && call.Labels(1) is [var number] ? call.Session.Labels[(int)number] : null;
        queue.Demand();
        var id = $"{DateTime.UtcNow:yyyyMMdd't'HHmmss}-{Guid.NewGuid():n}"[..28];
        var results = format == Job.Files ? call.Options.JobSliceSize : call.Options.JobShardSize;
        var job = new Job(id, model, operation.Name, input, output, label,
            Math.Max(1, results / operation.ResultsOfEach(parameters)), DateTimeOffset.UtcNow, format)
        {
            Version = operation.HoldsVersion || call.Content.Has(Field.Version) ? call.Version : null,
            Parameters = parameters,
        };
        await queue.StartAsync(job, jobs, cancellation);

        var status = $"{request.Path.Value!.TrimEnd('/')}/{id}";
        call.Describe("Location", status);
        return new(Answers.Json(new JobStarted(id, status, await jobs.StatusAsync(job, cancellation)),
            StatusCodes.Status202Accepted));
    }

    [Function("Jobs")]
    [Describes("List the bulk jobs of a model, newest first.")]
    public async Task<Answer<JobsAnswer>> List(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "models/{model}/jobs")] HttpRequest request,
        string model, CancellationToken cancellation)
    {
        await RequestReader.ReadAsync(request, [], maxImages: 0, cancellation);
        var ids = ModelRegistry.IsModelName(model) ? await jobs.IdsAsync(model, MostListed, cancellation) : [];
        if (ids is [] && !await ExistsAsync(model, cancellation))
            throw await models.UnknownAsync(model, cancellation);
        var statuses = new JobStatus?[ids.Count];
        await Parallel.ForEachAsync(ids.Index(),
            new ParallelOptions { MaxDegreeOfParallelism = ReadAtOnce, CancellationToken = cancellation },
            async (id, _) => statuses[id.Index] = await jobs.FindAsync(model, id.Item, cancellation) is { } job
                ? await jobs.StatusAsync(job, cancellation) : null);
        return new JobsAnswer(model, [.. statuses.OfType<JobStatus>()]);
    }

    [Function("Job")]
    [Describes("Say where a bulk job is: images done, failed and remaining.")]
    public async Task<Answer<JobStatus>> Show(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "models/{model}/jobs/{id}")] HttpRequest request,
        string model, string id, CancellationToken cancellation) =>
        await jobs.StatusAsync(await FindAsync(model, id, cancellation), cancellation);

    [Function("CancelJob")]
    [Describes("Cancel a bulk job; results that are there stay.")]
    public async Task<Answer<JobStatus>> Cancel(
        [HttpTrigger(AuthorizationLevel.Function, "delete", Route = "models/{model}/jobs/{id}")] HttpRequest request,
        string model, string id, CancellationToken cancellation)
    {
        var job = await FindAsync(model, id, cancellation);
        await jobs.CancelAsync(job, cancellation);
        return await jobs.StatusAsync(job, cancellation);
    }

    /// <summary>Whether there is such a model; it need not be one that can be loaded.</summary>
    async Task<bool> ExistsAsync(string model, CancellationToken cancellation) =>
        ModelRegistry.IsModelName(model) && await registry.TryReadCurrentAsync(model, cancellation) is not (null, null);

    async Task<Job> FindAsync(string model, string id, CancellationToken cancellation) =>
        await jobs.FindAsync(model, id, cancellation)
        ?? throw new RequestException(StatusCodes.Status404NotFound, $"{RequestContent.Shortened(model)} has no job "
            + $"{RequestContent.Shortened(id)}; POST models/MODEL/jobs starts one and says its id.");

    /// <exception cref="RequestException">400: something is given that the operation has no use for.</exception>
    static void CheckFields(ModelCall call, JobOperation operation)
    {
        Field[] taken = [.. JobFields.Common, .. operation.Fields];
        if (call.Content.Known.FirstOrDefault(field => call.Content.Has(field) && !taken.Contains(field)) is { } idle)
            throw RequestException.Invalid($"\"{idle.Name}\" is of no use to {operation.Name}; leave it out. "
                + $"It takes {RequestContent.NamesOf(taken)}.");
    }

    static (string Input, string Output) Paths(ModelCall call, JobOperation operation)
    {
        var input = operation.TakesImages ? PathOf(call, JobFields.Input, call.Options.ReadableContainers) : "";
        var output = PathOf(call, JobFields.Output, call.Options.WritableContainers);
        if (!output.EndsWith('/'))
            throw RequestException.Invalid($"output is {output}; give a folder, which ends in /.");
        // A job whose results lie under its input would take them for images. They are called as the images are, and as the input
        // therefore, from its last folder on; those in a blob a slice have numbers, which may be the last of the input, too.
        var named = output + input[(input.LastIndexOf('/') + 1)..];
        if (input.Length > 0
            && (named.StartsWith(input, StringComparison.Ordinal) || input.StartsWith(named, StringComparison.Ordinal)))
            throw RequestException.Invalid(
                $"output, {output}, lies under input, {input}, or holds it; give a folder outside of it.");
        return (input, output);
    }

    static string PathOf(ModelCall call, Field field, string[] containers)
    {
        if (!call.Content.Has(field))
            throw RequestContent.Missing(field);
        var path = call.Content[field]?.ToString() ?? "";
        if (!containers.Contains(path.Split('/')[0]) || !path.Contains('/'))
        {
            throw RequestException.Invalid($"{field.Name} is {RequestContent.Shortened(path)}; "
                + $"give a path in {string.Join(" or ", containers)}, such as {containers[0]}/MODEL/.");
        }
        try
        {
            BlobStores.CheckPrefix(path);
        }
        catch (BlobPathException fault)
        {
            throw RequestException.Invalid($"{field.Name}: {fault.Message}", fault);
        }
        return path;
    }
}

/// <summary>The bulk jobs of a model, newest first; at most 50.</summary>
public sealed record JobsAnswer(string Model, IReadOnlyList<JobStatus> Jobs);
