using System.CommandLine;
using Spectre.Console;
using VaeFunctions.Registry;
using VaeFunctions.Sessions;

namespace VaeFunctions.LocalCloud;

/// <summary><c>explore</c>: the page to play with a latent space, served here or written as files.</summary>
static class ExploreCommand
{
    public static Command Create()
    {
        var model = new Argument<string?>("MODEL")
        {
            Description = "which model; needed where there are several",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var export = new Option<string?>("--export")
        {
            Description = "write the page with the model inside into this folder, for any static server",
        };
        var version = new Option<string?>("--of") { Description = "for --export: another version than the one that serves" };
        var (port, storagePort) = ServeCommand.Ports(", if they are not running yet");
        var data = SessionStorage.Data();
        var runs = new Option<string>("--runs")
        {
            Description = "a folder that ./vae train wrote",
            DefaultValueFactory = _ => "runs",
        };
        var command = new Command(
            "explore",
            "Opens the page to play with a model's latent space: that of a running ./vae serve, or of one started for it.")
        { model, export, version, port, storagePort, data, runs };
        command.SetAction((parsed, cancellation) =>
        {
            var (name, folder) = (parsed.GetValue(model), Path.GetFullPath(parsed.GetValue(data)!));
            var trained = Path.GetFullPath(parsed.GetValue(runs)!);
            return parsed.GetValue(export) is { } target
                ? ExportAsync(name, parsed.GetValue(version), Path.GetFullPath(target), folder, trained, cancellation)
                : OpenAsync(name, ServeCommand.SessionOf(parsed, port, storagePort), folder, trained, cancellation);
        });
        return command;
    }

    static async Task<int> ExportAsync(
        string? wanted, string? version, string target, string data, string runs, CancellationToken cancellation)
    {
        var store = Running(data) is { } session ? Storage(session) : new FolderBlobStore(runs);
        var registry = new ModelRegistry(store);
        var model = await Models.ChooseAsync(store, wanted, cancellation);
        version ??= await Publisher.ServingVersionAsync(registry, model, cancellation);
        var bytes = await Explorer.ExportAsync(registry, model, version, target, cancellation);
        AnsiConsole.MarkupLineInterpolated($"[green]{model} {version}[/] is in {target}, {bytes / 1e6:0} MB.");
        Console.WriteLine("Any static server shows it, for example:");
        Console.WriteLine($"  python3 -m http.server --directory {target} 8080   # then http://localhost:8080/");
        return 0;
    }

    static async Task<int> OpenAsync(string? wanted, Session own, string data, string runs, CancellationToken cancellation)
    {
        if (Running(data) is { } session)
        {
            var address = Explorer.Address(session.Port, await Models.ChooseAsync(Storage(session), wanted, cancellation));
            Console.WriteLine(address);
            Explorer.TryOpen(address);
            return 0;
        }
        return await ServeCommand.ServeAsync(own, data, runs, workers: 1, func: false, (models, _) =>
        {
            if (models.Count == 0)
                throw LocalCloudException.WrongInput($"There is no model to explore, neither in this storage nor in {runs}. "
                    + "./vae train faces-vae makes one.");
            if (wanted is not null && models.All(model => model.Name != wanted))
                throw LocalCloudException.WrongInput(
                    $"No model '{wanted}' is published. There is: {string.Join(", ", models.Select(model => model.Name))}.");
            var address = Explorer.Address(own.Port, wanted ?? models[0].Name);
            Console.WriteLine($"Play with it: {address}");
            Explorer.TryOpen(address);
            return Task.CompletedTask;
        }, cancellation);
    }

    static Session? Running(string data) => Session.IsHeld(data) ? Session.TryRead(data) : null;

    static IBlobStore Storage(Session session) => BlobStores.Open(Azurite.ConnectionString(session.StoragePort));
}
