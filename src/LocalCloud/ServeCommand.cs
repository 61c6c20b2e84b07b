using System.CommandLine;
using Spectre.Console;
using VaeFunctions.Commands;
using VaeFunctions.LocalCloud.Host;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;

namespace VaeFunctions.LocalCloud;

/// <summary><c>serve</c>: storage and functions on this machine, until Ctrl-C.</summary>
static class ServeCommand
{
    public static Command Create()
    {
        var (port, storagePort) = Ports("");
        var data = new Option<string>("--data")
        {
            Description = "the folder with the storage emulator's data",
            DefaultValueFactory = _ => Session.DefaultFolder,
        };
        var runs = new Option<string>("--runs")
        {
            Description = "a folder that ./vae train wrote: its models are published first",
            DefaultValueFactory = _ => "runs",
        };
        var workers = CommonOptions.Count("--workers", 1, 64, "how many processes run the functions");
        var func = new Option<bool>("--func")
        {
            Description = "under Azure Functions Core Tools, where they are installed, instead of this project's host",
        };
        var command = new Command(
            "serve", "Storage and functions on this machine, until Ctrl-C.") { port, storagePort, data, runs, workers, func };
        command.SetAction((parsed, cancellation) =>
        {
            var session = SessionOf(parsed, port, storagePort);
            return ServeAsync(session, Path.GetFullPath(parsed.GetValue(data)!), Path.GetFullPath(parsed.GetValue(runs)!),
                parsed.GetValue(workers), parsed.GetValue(func), WarmUpAsync, cancellation);

            Task WarmUpAsync(IReadOnlyList<(string Name, string Version)> models, CancellationToken stopping) => models.Count > 0
                ? Explorer.WarmUpAsync(session.Port, models[0].Name, models[0].Version, stopping)
                : Task.CompletedTask;
        });
        return command;
    }

    /// <summary>Where functions and storage listen, <paramref name="when"/> they do.</summary>
    public static (Option<int> Port, Option<int> StoragePort) Ports(string when) => (
        CommonOptions.Count("--port", FunctionsHost.DefaultPort, 65535, $"where the functions listen{when}"),
        CommonOptions.Count("--storage-port", Azurite.DefaultPort, 65534,
            $"where the storage emulator listens, with its queues on the next port{when}"));

    public static Session SessionOf(ParseResult parsed, Option<int> port, Option<int> storagePort) =>
        new(parsed.GetValue(port), parsed.GetValue(storagePort));

    /// <summary>Serves until it is stopped.</summary>
    /// <param name="serving">What to do beside it once all is up, with the models; what it fails with later on is nobody's
    /// concern.</param>
    public static async Task<int> ServeAsync(Session session, string data, string runs, int workers, bool func,
        Func<IReadOnlyList<(string Name, string Version)>, CancellationToken, Task> serving, CancellationToken cancellation)
    {
        Port.DemandFree(session.Port, "the functions", "--port");
        Port.DemandFree(session.StoragePort, "the storage emulator", "--storage-port");
        Port.DemandFree(session.StoragePort + 1, "the storage emulator's queues", "--storage-port");
        Directory.CreateDirectory(data);
        using var theOnlyOne = Hold(data);

        // Storage and functions start side by side; the functions listen when the storage has the models.
        var starting = Azurite.StartAsync(session.StoragePort, data, cancellation);
        using var publishing = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var storageReady = Task.CompletedTask;
        try
        {
            var store = BlobStores.Open(Azurite.ConnectionString(session.StoragePort));
            storageReady = PublishAsync(starting, runs, store, publishing.Token);
            var options = FunctionsHost.Options(session.Port, workers, Azurite.ConnectionString(session.StoragePort), data) with
            {
                StorageReady = storageReady,
            };
            await using IFunctionsHost functions = func
                ? await CoreTools.StartAsync(options, cancellation)
                : await LocalHost.StartAsync(options, cancellation);
            await UntilStoppedAsync(session, data, runs, store, await starting, functions, serving, cancellation);
        }
        finally
        {
            await publishing.CancelAsync();
            await storageReady.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await (await starting).DisposeAsync();
        }
        return 0;
    }

    static async Task PublishAsync(Task starting, string runs, IBlobStore store, CancellationToken cancellation)
    {
        await starting;
        if (Directory.Exists(runs))
            await Models.PublishAsync(runs, store, cancellation);
    }

    static async Task UntilStoppedAsync(
        Session session, string data, string runs, IBlobStore store, ChildProcess storage, IFunctionsHost functions,
        Func<IReadOnlyList<(string Name, string Version)>, CancellationToken, Task> serving, CancellationToken cancellation)
    {
        session.Write(data);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var beside = Task.CompletedTask;
        try
        {
            beside = serving(await GreetAsync(session, data, runs, store, cancellation), stopping.Token);
            await await Task.WhenAny(FailWhenEndedAsync(storage, cancellation), functions.Ended.WaitAsync(cancellation));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            AnsiConsole.WriteLine("Stopping.");
        }
        finally
        {
            await stopping.CancelAsync();
            await beside.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Session.Remove(data);
        }
    }

    static async Task<List<(string Name, string Version)>> GreetAsync(
        Session session, string data, string runs, IBlobStore store, CancellationToken cancellation)
    {
        var models = await Models.ListAsync(store, cancellation);
        AnsiConsole.MarkupLineInterpolated($"Functions  http://localhost:{session.Port}/api/models");
        AnsiConsole.MarkupLineInterpolated(
            $"Storage    {Azurite.Endpoint(session.StoragePort)} [dim](data and logs in {data})[/]");
        if (models.Count == 0)
        {
            // Not by AnsiConsole, which breaks lines that people copy.
            Console.WriteLine($"Models     none yet, neither in this storage nor in {runs}"
                + (Directory.Exists(runs) ? "" : ", which does not exist"));
            var (to, from) = IsDefault(runs) ? ("", "") : ($" --out {runs}", $" --from {runs}");
            Console.WriteLine($"           Train one: ./vae train faces-vae{to}, then ./vae publish faces-vae{from}");
        }
        else
        {
            AnsiConsole.MarkupLineInterpolated(
                $"Models     {string.Join(", ", models.Select(model => $"{model.Name} {model.Version}"))}");
            if (!Directory.Exists(runs))
                Console.WriteLine($"Runs       {runs} does not exist, so nothing new is published; ./vae train RECIPE"
                    + (IsDefault(runs) ? "" : $" --out {runs}") + " trains into it");
            Console.WriteLine($"Explorer   {Explorer.Address(session.Port, models[0].Name)}");
            AnsiConsole.WriteLine();
            // Not by AnsiConsole, which breaks lines that people copy.
            Console.WriteLine("Next, from another terminal:");
            Console.WriteLine(
                $"  ./vae drop IMAGES… --model {models[0].Name}{(data == Session.DefaultFolder ? "" : $" --data {data}")}");
            Console.WriteLine(
                $"  curl -X POST http://localhost:{session.Port}/api/models/{models[0].Name}/sample -f -H "
                    + $"'Content-Type: application/json' -d '{{\"count\":16,\"seed\":1}}' -o samples.png");
        }
        Console.WriteLine();
        AnsiConsole.WriteLine("Ctrl-C stops.");
        return models;
    }

    static bool IsDefault(string runs) => runs == Path.GetFullPath(Stores.DefaultFolder);

    static async Task FailWhenEndedAsync(ChildProcess process, CancellationToken cancellation)
    {
        await process.WaitForExitAsync(cancellation);
        throw process.Ended();
    }

    // Two emulators on the same data would destroy it.
    static FileStream Hold(string data) => Session.TryHold(data)
        ?? throw LocalCloudException.WrongInput(
            $"Another ./vae serve uses {data}. Stop it, or choose another folder: --data DIR");
}
