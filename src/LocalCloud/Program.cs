using System.CommandLine;
using System.Runtime.InteropServices;
using Spectre.Console;
using VaeFunctions;
using VaeFunctions.LocalCloud;
using VaeFunctions.Registry;

if (Console.IsOutputRedirected)
{
    // A file gets neither colours nor wrapped lines.
    AnsiConsole.Profile.Capabilities.Ansi = false;
    AnsiConsole.Profile.Width = int.MaxValue;
}

var root = new RootCommand("The cloud on this machine: the storage emulator and the functions as child processes.")
{
    ServeCommand.Create(),
    DropCommand.Create(),
    DemoCommand.Create(),
};

using var stopping = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);

var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors)
        Console.Error.WriteLine($"vae: {Spelling.Suggest(error.Message, parsed.UnmatchedTokens, parsed.CommandResult.Command.Options.Select(option => option.Name))}");
    return 2;
}

try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stopping.Token);
}
catch (OperationCanceledException) when (stopping.IsCancellationRequested)
{
    Console.Error.WriteLine("vae: stopped.");
    return 130;
}
catch (Exception e) when (e is LocalCloudException or RegistryException or StorageException or ArgumentException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"vae: {e.Message}");
    return e is LocalCloudException { ExitCode: var code } ? code : 2;
}

// The first signal stops in order; a second one ends this program at once, and its children with it.
void Stop(PosixSignalContext context)
{
    context.Cancel = !stopping.IsCancellationRequested;
    stopping.Cancel();
}
