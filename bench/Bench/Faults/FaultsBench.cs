using System.CommandLine;
using System.Diagnostics;
using Azure.Storage.Queues;

namespace VaeFunctions.Bench.Faults;

/// <summary><c>bench faults</c>: storage, host, worker and trainings fail in every way that can be had on one machine, while
/// images are dropped, jobs run and versions are published. After each round everything that was asked for has to be answered,
/// once and right.</summary>
sealed class FaultsBench
{
    const string Model = "tiny";

    /// <summary>A process of the cloud that holds more is growing.</summary>
    const double MostMegabytes = 600;

    /// <summary>How long all may take to be answered once nothing fails any more. Work whose message was lost is asked for again
    /// after two minutes.</summary>
    static readonly TimeSpan patience = TimeSpan.FromSeconds(210);

    /// <summary>How long a training may take with all its interruptions; a fraction of it where it has a core for
    /// itself.</summary>
    static readonly TimeSpan longestTraining = TimeSpan.FromMinutes(20);

    readonly string folder = Directory.CreateTempSubdirectory("vae-faults-").FullName;
    readonly Journal journal = new(Console.Out);
    double megabytes;
    bool isShort;

    public static Command Create()
    {
        Option<double> minutes = new("--minutes")
        {
            Description = "How long; the round that is under way then is the last",
            DefaultValueFactory = _ => 10,
        };
        Option<ulong> seed = new("--seed")
        {
            Description = "What the faults follow from; another one each time unless given",
            DefaultValueFactory = _ => (ulong)Random.Shared.Next(),
        };
        Option<bool> noTraining = new("--no-training")
        {
            Description = "Leave out the trainings, which take most of the processors",
        };
        Option<bool> small = new("--short") { Description = "Rounds of few images and two faults" };
        var command = new Command("faults",
            "Let storage, host, worker and trainings fail at random moments and check that nothing is lost, wrong or twice")
        {
            minutes, seed, noTraining, small,
        };
        command.SetAction((parsed, cancellation) => new FaultsBench { isShort = parsed.GetValue(small) }.RunAsync(
            TimeSpan.FromMinutes(Math.Max(0, parsed.GetValue(minutes))), parsed.GetValue(seed), !parsed.GetValue(noTraining),
            cancellation));
        return command;
    }

    async Task<int> RunAsync(TimeSpan time, ulong seed, bool trains, CancellationToken cancellation)
    {
        Console.WriteLine($"seed {seed}; processes and logs in {folder}");
        try
        {
            await using var cloud = await Cloud.StartAsync(folder, cancellation);
            await Versions.PublishFirstAsync(cloud.Store, Model);
            await cloud.StartHostAsync(cancellation);
            await cloud.ReadyAsync(cancellation);
            var injector = new Injector(cloud, new(seed, "faults"), journal);
            var trainings = trains ? new Trainings(cloud, folder, seed, new(seed, "trainings"), journal) : null;
            var random = new RandomStream(seed, "rounds");
            do
            {
                journal.Round++;
                // Every third round a training runs beside the rest.
                var training = trainings is not null && journal.Round % 3 == 2 ? await trainings.NextAsync() : null;
                await RoundAsync(cloud, injector, random, training, cancellation);
            }
            while (journal.Elapsed < time && journal.Broken.Count == 0);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            journal.Write("interrupted");
        }
        journal.Summarize();
        Console.WriteLine($"Most memory of a process of the functions: {megabytes:F0} MB");
        if (journal.Broken.Count > 0)
            return 1;
        Directory.Delete(folder, recursive: true);
        return cancellation.IsCancellationRequested ? 130 : 0;
    }

    async Task RoundAsync(Cloud cloud, Injector injector, RandomStream random, IWork? training, CancellationToken cancellation)
    {
        IWork[] work =
        [
            new Drops(cloud.Store, Model, journal.Round, count: isShort ? 10 : 40, TimeSpan.FromMilliseconds(100)),
            new FilesJob(cloud, Model, journal.Round), new ColumnsJob(cloud, Model, journal.Round),
            new Versions(cloud, Model, journal.Round, new(random.NextUInt64(), "versions"), journal),
        ];
        var running = Task.WhenAll(work.Select(one => one.RunAsync(cancellation)));
        var trained = training?.RunAsync(cancellation) ?? Task.CompletedTask;
        for (var left = isShort ? 2 : 3 + random.NextInt(3); left > 0; left--)
        {
            await Task.Delay(TimeSpan.FromSeconds(0.2 + 1.3 * random.NextDouble()), cancellation);
            await injector.InjectAsync(cancellation);
        }
        await CheckAsync(cloud, work, running, cancellation);
        await trained.WaitAsync(longestTraining, cancellation);
        foreach (var what in training is null ? [] : await training.LackingAsync(cancellation))
            journal.Break(what);
        if (journal.Broken.Count > 0)
            return; // what is there is left for whoever looks for the cause
        IWork[] all = training is null ? work : [.. work, training];
        await Parallel.ForEachAsync(all, cancellation, async (one, stop) => await one.ClearAsync(stop));
    }

    /// <summary>Waits until nothing lacks, which has to come in time, and stays so.</summary>
    async Task CheckAsync(Cloud cloud, IWork[] work, Task running, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        IReadOnlyList<string> lacking;
        while (((lacking = await LackingAsync()).Count > 0 || !running.IsCompleted) && clock.Elapsed < patience)
            await Task.Delay(500, cancellation);
        if (running.IsCompleted)
            await running; // says what went wrong otherwise than by a fault
        else
            journal.Break($"people cannot ask for all that they want {patience.TotalSeconds:F0} s after the last fault");
        await Task.Delay(1000, cancellation); // what is done twice is done now
        foreach (var what in lacking.Count > 0 ? lacking : await LackingAsync())
            journal.Break(what);
        if (lacking.Count == 0)
            journal.Write($"all answered {clock.Elapsed.TotalSeconds:F1} s after the last fault; {megabytes:F0} MB");

        async Task<IReadOnlyList<string>> LackingAsync()
        {
            try
            {
                var all = new List<string>();
                foreach (var one in work)
                    all.AddRange(await one.LackingAsync(cancellation));
                all.AddRange(await MessagesAsync(cloud, cancellation));
                if (!cloud.HostRuns)
                    all.Add("the host ended by itself");
                megabytes = Math.Max(megabytes, cloud.Megabytes());
                if (megabytes > MostMegabytes)
                    all.Add($"a process holds {megabytes:F0} MB, more than {MostMegabytes}");
                return all;
            }
            catch (Exception down) when (down is HttpRequestException or Registry.StorageException or Azure.RequestFailedException
                or TaskCanceledException && !cancellation.IsCancellationRequested)
            {
                return [$"somebody does not answer: {down.Message}"];
            }
        }
    }

    /// <summary>The queues in which messages wait. Hidden ones are not counted: a message whose taker never got it, or could not
    /// give it back, is hidden for ten minutes; what it asked for is done meanwhile, and when it comes back it finds nothing to
    /// do.</summary>
    static async Task<IReadOnlyList<string>> MessagesAsync(Cloud cloud, CancellationToken cancellation)
    {
        var queues = new QueueServiceClient(cloud.People.ConnectionString);
        var left = new List<string>();
        await foreach (var queue in queues.GetQueuesAsync(cancellationToken: cancellation))
        {
            var waiting = (await queues.GetQueueClient(queue.Name).PeekMessagesAsync(32, cancellation)).Value;
            if (waiting.Length > 0)
                left.Add($"{waiting.Length} messages or more wait in {queue.Name}");
        }
        return left;
    }
}
