using System.CommandLine;
using System.Diagnostics;
using Microsoft.Extensions.Options;
using VaeFunctions.LocalCloud;
using VaeFunctions.Serving;

namespace VaeFunctions.Bench.Scale;

/// <summary><c>bench scale</c>: a bulk job of millions of blobs on a hundred replicas, in a simulation that runs the project's
/// own job code.</summary>
static class ScaleBench
{
    public static Command Create()
    {
        var defaults = new Conditions();
        var images = Setting("--images", "Blobs under the job's input", defaults.Images);
        var real = Setting(
            "--real", "How many of them are really read and run, each for as many as it takes to have all", defaults.Real);
        var replicas = Setting("--replicas", "The most replicas", defaults.Replicas);
        var format = Setting("--format", "How results are written", defaults.Format);
        format.AcceptOnlyFromAmong(Job.Parquet, Job.Files);
        var seed = Setting("--seed", "What delays and deaths follow from", defaults.Seed);
        var listing = Setting("--listing", "Only list, every blob for real, and watch time and memory", false);
        var command = new Command("scale", "A bulk job of millions of blobs on many replicas, simulated on the own job code")
        {
            images, real, replicas, format, seed, listing,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var conditions = defaults with
            {
                Images = Math.Max(1, parsed.GetValue(images)),
                Real = (int)Math.Clamp(parsed.GetValue(real), 1, Math.Max(1, parsed.GetValue(images))),
                Replicas = Math.Max(1, parsed.GetValue(replicas)),
                Format = parsed.GetValue(format)!,
                Seed = parsed.GetValue(seed),
            };
            return parsed.GetValue(listing) ? ListAsync(conditions, cancellation) : SimulateAsync(conditions, cancellation);
        });
        return command;
    }

    static Option<T> Setting<T>(string name, string what, T otherwise) =>
        new(name) { Description = what, DefaultValueFactory = _ => otherwise };

    static async Task SimulateAsync(Conditions conditions, CancellationToken cancellation)
    {
        // All images, or in a whole number of real ones.
        conditions = conditions with { Images = (long)conditions.Real * conditions.Each };
        Console.WriteLine($"{conditions.Images:N0} blobs to {conditions.Format} on up to {conditions.Replicas} replicas of "
            + $"{conditions.VCpus} vCPU; {conditions.Real:N0} of them are run, each for {conditions.Each}; "
            + $"seed {conditions.Seed}");
        Console.WriteLine($"assumed: {conditions.AccountRate:N0} requests/s of the account, "
            + $"{1000 * conditions.Request:0} ms a request and {1000 * conditions.Page:0} ms a page (the median; the 99th "
            + $"percentile five times as long), {1000 * conditions.Computing:0.#} ms of a vCPU an image, "
            + $"{conditions.Large:P0} of the images {conditions.LargeFactor} times as large and last in the list, a replica's "
            + $"life of {conditions.Lifetime / 3600:0.#} h, {conditions.Lease / 60:0} minutes until a lost message comes back\n");
        var clock = Stopwatch.StartNew();
        using var simulation = new Simulation(conditions);
        var outcome = await simulation.RunAsync(cancellation);
        var status = outcome.Status;
        var each = conditions.Each;
        var heaviness = conditions.Large * conditions.LargeFactor + 1 - conditions.Large;
        var computing = conditions.Images * conditions.Computing * heaviness;
        string[] rows =
        [
            "| | |", "| --- | --- |",
            $"| the job | {status.State}: {status.Done * each:N0} done, {status.Failed * each:N0} failed, "
                + $"{status.Remaining * each:N0} left |",
            $"| makespan | {Minutes(outcome.Makespan)} |",
            $"| the last slice was cut by the one replica that lists after | {Minutes(outcome.Listed)} |",
            $"| what the account takes at least | {Minutes(outcome.Requests / conditions.AccountRate)} for "
                + $"{outcome.Requests:N0} requests, of which {outcome.PutOff:N0} were put off |",
            $"| what the processors take at least | {Minutes(computing / conditions.Replicas / conditions.VCpus)} |",
            $"| replicas' time | {outcome.Billed / 3600:N1} hours |",
            $"| runs of the function | {outcome.Runs:N0}, of which {outcome.Lost} ended with their replica |",
            $"| work done twice | {outcome.ReadAgain * each:N0} images ({(double)outcome.ReadAgain / conditions.Real:P2}), "
                + $"{outcome.ResultsAgain:N0} results |",
            $"| slices given up | {outcome.Poison} |",
            $"| memory | {Machine.Megabytes(Environment.ProcessId, "VmHWM"):N0} MB at most of this process, which holds all of "
                + $"the job; its largest blob has {outcome.LargestDocument * (long)each / 1024:N0} KB |",
            $"| simulated in | {clock.Elapsed.TotalSeconds:N0} s |",
        ];
        foreach (var row in rows) Console.WriteLine(row);
        if (status.State != "completed" || status.Remaining != 0)
            throw new LocalCloudException("The job did not come to its end.");
    }

    /// <summary>The lister alone, on every blob.</summary>
    static async Task ListAsync(Conditions conditions, CancellationToken cancellation)
    {
        conditions = conditions with { Real = (int)conditions.Images };
        var options = Options.Create(new ServingOptions());
        var store = new SimulatedStore(conditions) { SliceSize = 1, DropsSlices = true };
        var sent = 0;
        var lister = new JobLister(new(store), new(() => new SimulatedQueue(conditions, _ => sent++)), store, options);
        var job = new Job("20260101t000000-listing", "tiny", "encode", SimulatedStore.Input, SimulatedStore.Output, null,
            options.Value.JobShardSize, DateTimeOffset.UnixEpoch, conditions.Format);
        var clock = Stopwatch.StartNew();
        var before = Machine.Megabytes(Environment.ProcessId, "VmRSS");
        await lister.ListAsync(job, cancellation);
        Console.WriteLine($"{conditions.Images:N0} blobs listed in {clock.Elapsed.TotalSeconds:N1} s of this machine, "
            + $"{conditions.Images / clock.Elapsed.TotalSeconds:N0} a second; "
            + $"{sent:N0} slices; {before:N0} MB before, {Machine.Megabytes(Environment.ProcessId, "VmHWM"):N0} MB at most");
    }

    static string Minutes(double seconds) => $"{seconds / 60:N1} minutes";
}
