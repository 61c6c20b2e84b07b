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
            or TrainingException or DeviceException or ShapeException or ArgumentException or ImageFormatException
            or DllNotFoundException or UnauthorizedAccessException or IOException)
        {
            await Console.Error.WriteLineAsync($"Error: {e.Message}");
            return e is StorageException { InnerException: IOException { HResult: DiskFull } } ? Failed : WrongInput;
        }
        catch (ExternalException e)
        {
            await Console.Error.WriteLineAsync($"Error: {Explain(e, parsed.CommandResult.Command)}");
            return Failed;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("Stopped.");
            return Interrupted;
        }
    }

    /// <summary>What libtorch said, without its stack; null for what did not come from there. TorchSharp has no type of its own for it, and others derive from this one.</summary>
    public static string? OfLibtorch(Exception e) => e.GetType() == typeof(ExternalException) ? $"libtorch: {e.Message.Split('\n')[0]}" : null;

    /// <summary>The message of what a native library threw, with what the command has to help where memory ran out.</summary>
    public static string Explain(ExternalException e, Command command)
    {
        if (OfLibtorch(e) is not { } message) return e.Message;
        (string Option, string Remedy)[] remedies = [("--batch-size", "give a smaller --batch-size"), ("--device", "compute with --device cpu")];
        string[] there = [.. remedies.Where(pair => command.Options.Any(option => option.Name == pair.Option)).Select(pair => pair.Remedy)];
        return there is [] || !message.Contains("out of memory", StringComparison.OrdinalIgnoreCase) ? message : $"{message} To go on, {string.Join(", or ", there)}.";
    }
}
