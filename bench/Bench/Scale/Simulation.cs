using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using VaeFunctions.Registry;
using VaeFunctions.Serving;
using VaeFunctions.Tests;

namespace VaeFunctions.Bench.Scale;

/// <summary>A bulk job on many replicas by a clock of its own: the project's lister, worker, store and queue do all they do, on
/// images of which each stands for many; storage, messages, replicas and time are simulated, one event after another.</summary>
/// <remarks>A run is worked off whole when it begins, and what it wrote is seen by others from when it wrote it. So the run that
/// is the last by the clock may not have been worked off last, and would not see that all others are done: finishing is tried
/// once more at the end.</remarks>
sealed class Simulation : IDisposable
{
    const string Model = "tiny";

    readonly Conditions conditions;
    readonly RandomStream random;
    readonly Account account;
    readonly SimulatedStore store;
    readonly JobStore jobs;
    readonly JobWorker worker;
    readonly ModelProvider models;
    readonly NamedVersions versions;
    readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    readonly PriorityQueue<Func<Task>, double> events = new();
    readonly PriorityQueue<Message, double> messages = new();
    readonly Job job;
    double now, billed, listed, makespan;
    int running, runs, lost, poison;

    public Simulation(Conditions conditions)
    {
        this.conditions = conditions;
        random = new(conditions.Seed, "simulation");
        account = new(conditions.AccountRate);
        var defaults = new ServingOptions();
        var whole = conditions.Format == Job.Files ? defaults.JobSliceSize : defaults.JobShardSize;
        var slice = Math.Max(1, whole / conditions.Each);
        store = new(conditions) { SliceSize = slice };
        var options = Options.Create(defaults);
        var queue = new JobQueue(() => new SimulatedQueue(conditions, Send));
        jobs = new(store);
        models = new(new(store), options, new(services.GetRequiredService<IMeterFactory>()), NullLogger<ModelProvider>.Instance);
        worker = new(jobs, new(jobs, queue, store, options), store, models, versions = new(models),
            new(options, store), options, NullLogger<JobWorker>.Instance);
        job = new("20260101t000000-simulated", Model, "encode", SimulatedStore.Input, SimulatedStore.Output, null, slice,
            DateTimeOffset.UnixEpoch, conditions.Format);
    }

    /// <summary>Works the job off.</summary>
    public async Task<Outcome> RunAsync(CancellationToken cancellation)
    {
        await TinyModel.ServeAsync(new ModelRegistry(store), Model, "v1");
        await jobs.CreateAsync(job, cancellation);
        Send(new(JsonSerializer.Serialize(new JobMessage(Model, job.Id), JsonSerializerOptions.Web), 0));
        await jobs.MarkOpenAsync(job, cancellation);
        ScaleOut();
        while (running + messages.Count > 0 && events.TryDequeue(out var next, out now))
        {
            cancellation.ThrowIfCancellationRequested();
            await next();
        }
        var finished = await jobs.FinishAsync(job, last: null, cancellation);
        var status = await jobs.StatusAsync(job, cancellation);
        return new(status, finished, makespan, listed, billed, account.Requests, account.PutOff, runs, lost, poison,
            store.ReadAgain, store.ResultsAgain, store.LargestDocument);
    }

    public void Dispose()
    {
        versions.Dispose();
        models.Dispose();
        services.Dispose();
    }

    void Send(Message message) => messages.Enqueue(message, message.Visible);

    void At(double time, Func<Task> what) => events.Enqueue(what, time);

    /// <summary>Replicas come in steps while there is work; one that ends is followed by another.</summary>
    void ScaleOut()
    {
        var (time, there) = (conditions.ColdStart, 0);
        while (there < conditions.Replicas)
        {
            var more = there == 0 ? 1 : Math.Min(Math.Max(there, 4), conditions.Replicas - there);
            for (var i = 0; i < more; i++) Begin(time);
            (there, time) = (there + more, time + conditions.ScaleStep);
        }

        void Begin(double time) => At(time, () =>
        {
            var dies = now - conditions.Lifetime * Math.Log(1 - random.NextDouble());
            for (var i = 0; i < conditions.MessagesAtOnce; i++) At(now, () => TakeAsync(now, dies));
            At(dies, () =>
            {
                Begin(now + conditions.ColdStart);
                return Task.CompletedTask;
            });
            return Task.CompletedTask;
        });
    }

    /// <summary>A replica looks for a message and works on it, again and again until it dies.</summary>
    /// <param name="since">Until when it has been billed.</param>
    async Task TakeAsync(double since, double dies)
    {
        billed += (Math.Min(now, dies) - since) / conditions.MessagesAtOnce;
        if (now >= dies)
            return;
        var began = now;
        var end = now + conditions.Polling * random.NextDouble();
        if (messages.TryPeek(out var message, out var visible) && visible <= now)
        {
            messages.Dequeue();
            running++;
            end = await WorkAsync(message, dies);
            At(end, () =>
            {
                running--;
                return Task.CompletedTask;
            });
        }
        At(end, () => TakeAsync(began, dies));
    }

    /// <summary>Works on a message by the project's code and says until when.</summary>
    async Task<double> WorkAsync(Message message, double dies)
    {
        var run = new Run(now, dies, account, new(conditions.Seed, "run", (ulong)runs++));
        var asked = JobQueue.Read(message.Text);
        Run.Current = run;
        try
        {
            await worker.HandleAsync(asked, giveUp: message.Tries == conditions.Tries, CancellationToken.None);
            if (run.Compute((double)conditions.VCpus / conditions.MessagesAtOnce) > dies)
                throw new ReplicaLostException(); // before it could say that the message is done with
            if (asked.Slice is null) listed = run.Now;
            makespan = Math.Max(makespan, run.Now);
            return run.Now;
        }
        catch (ReplicaLostException)
        {
            lost++;
            var prolonged = Math.Floor((dies - run.Start) / conditions.Renewal) * conditions.Renewal;
            var tries = Math.Min(message.Tries + 1, conditions.Tries);
            Send(message with { Visible = run.Start + prolonged + conditions.Lease, Tries = tries });
            return dies;
        }
        catch (StorageException)
        {
            if (message.Tries + 1 == conditions.Tries) poison++;
            Send(message with { Visible = run.Now + conditions.Retry, Tries = message.Tries + 1 });
            return run.Now;
        }
        finally
        {
            Run.Current = null;
        }
    }
}

/// <summary>What came of a simulated job. Times in seconds of its clock.</summary>
/// <param name="Finished">Whether it came to its end.</param>
/// <param name="Listed">When the listing ended.</param>
/// <param name="Billed">Seconds of replicas, idle ones included.</param>
/// <param name="PutOff">Requests that the account did not answer at once.</param>
/// <param name="Lost">Runs that ended with their replica.</param>
/// <param name="Poison">Slices that failed too often.</param>
/// <param name="ReadAgain">Real images that were read more than once, each time more.</param>
/// <param name="LargestDocument">Of a job's own blobs, in bytes.</param>
sealed record Outcome(JobStatus Status, bool Finished, double Makespan, double Listed, double Billed, long Requests, long PutOff,
    int Runs, int Lost, int Poison, long ReadAgain, long ResultsAgain, int LargestDocument);
