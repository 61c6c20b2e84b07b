using System.CommandLine;
using System.Runtime.InteropServices;
using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Commands;

/// <summary>Runs a command and turns what went wrong into a message and an exit code.</summary>
static class CommandRunner
{
    /// <summary>Something failed on the way; the message says what is kept, and where.</summary>
    public const int Failed = 1;

    /// <summary>Wrong input, or storage that cannot be reached: the message says how to mend it.</summary>
    public const int WrongInput = 2;

    /// <summary>Stopped by Ctrl-C or SIGTERM after saving.</summary>
    public const int Interrupted = 130;

    const int DiskFull = 28; // ENOSPC

    /// <summary>How long a step and a checkpoint may take after Ctrl-C or SIGTERM.</summary>
    static readonly TimeSpan Farewell = TimeSpan.FromMinutes(2);

    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            var options = parsed.CommandResult.Command.Options.Select(option => option.Name).ToArray();
            foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync(Spelling.Suggest(error.Message, parsed.UnmatchedTokens, options));
            await Console.Error.WriteLineAsync($"See ./vae {parsed.CommandResult.Command.Name} --help.");
            return WrongInput;
        }
        try
        {
            return await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = Farewell });
        }
        catch (Exception e) when (e is RecipeException or DataException or CheckpointException or RegistryException or StorageException
            or TrainingException or DeviceException or ShapeException or ArgumentException or ImageFormatException or DllNotFoundException or UnauthorizedAccessException or IOException)
        {
            await Console.Error.WriteLineAsync($"Error: {e.Message}");
            return e is StorageException { InnerException: IOException { HResult: DiskFull } } ? Failed : WrongInput;
        }
        catch (ExternalException e)
        {
            var what = e.Message.Split('\n')[0]; // of libtorch's, whose stack follows
            var remedy = what.Contains("out of memory", StringComparison.OrdinalIgnoreCase) ? " Give a smaller --batch-size, or train with --device cpu." : "";
            await Console.Error.WriteLineAsync($"Error: libtorch: {what}{remedy}");
            return Failed;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("Stopped.");
            return Interrupted;
        }
    }
}
