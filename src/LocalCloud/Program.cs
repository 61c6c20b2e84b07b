using Spectre.Console;
using VaeFunctions.Commands;
using VaeFunctions.LocalCloud;

if (Console.IsOutputRedirected)
{
    // A file gets neither colours nor wrapped lines.
    AnsiConsole.Profile.Capabilities.Ansi = false;
    AnsiConsole.Profile.Width = int.MaxValue;
}

// Everything that ./vae does: the cloud on this machine, and the training job's commands beside it.
var training = TrainingCommands.All();
if (training.Any(command => command.Name == args.FirstOrDefault()))
    Session.UseStorageOfServe();
var root = CommandRunner.Root(
    "Trains variational autoencoders, publishes them to blob storage, and serves them from functions.",
    [DemoCommand.Create(), TestCommand.Create(), .. training, ServeCommand.Create(), ExploreCommand.Create(), DropCommand.Create()]);
return await CommandRunner.RunAsync(root, args);
