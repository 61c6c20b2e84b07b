using Spectre.Console;
using VaeFunctions.Commands;
using VaeFunctions.LocalCloud;
using VaeFunctions.LocalCloud.Costs;
using VaeFunctions.Sessions;

if (Console.IsOutputRedirected)
{
    // A file gets neither colours nor wrapped lines.
    AnsiConsole.Profile.Capabilities.Ansi = false;
    AnsiConsole.Profile.Width = int.MaxValue;
}

// Everything that ./vae does: the cloud on this machine, and the training job's commands beside it. Beside a running ./vae serve,
// what they are asked about served models is asked of its storage.
var isTraining = TrainingCommands.All().Any(command => command.Name == args.FirstOrDefault());
var served = isTraining && Session.UseStorageOfServe() ? Stores.Blob : Stores.DefaultFolder;
var root = CommandRunner.Root(
    "Trains variational autoencoders, publishes them to blob storage, and serves them from functions.",
    [
        DemoCommand.Create(), TestCommand.Create(), .. TrainingCommands.All(served), ServeCommand.Create(),
        ExploreCommand.Create(), DropCommand.Create(), FetchCommand.Create(), CostCommand.Create(),
    ]);
return await CommandRunner.RunAsync(root, args);
