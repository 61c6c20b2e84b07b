using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using VaeFunctions.Data;
using VaeFunctions.Tensors;
using VaeFunctions.Training;

namespace VaeFunctions.Commands;

/// <summary>Runs a command of a tree and turns what went wrong into a message on standard error and an exit code.</summary>
public static partial class CommandRunner
{
    /// <summary>Something failed on the way; the message says what is kept, and where.</summary>
    public const int Failed = 1;

    /// <summary>Wrong input, or storage that cannot be reached: the message says how to mend it.</summary>
    public const int WrongInput = 2;

    /// <summary>Stopped by Ctrl-C, SIGTERM or SIGHUP after saving.</summary>
    public const int Interrupted = 130;

    /// <summary>The root of a tree, by the name that people type.</summary>
    public static Command Root(string description, IEnumerable<Command> commands)
    {
        var root = new Command("./vae", description) { new HelpOption(), new VersionOption() };
        foreach (var command in commands)
            root.Subcommands.Add(command);
        return root;
    }

    /// <summary>A path below the user's folder as shells leave it behind an equals sign or between quotation marks,
    /// <c>~/pictures</c>, written out. A folder that is called ~ is <c>./~</c>.</summary>
    static string WithUsersFolder(string argument)
    {
        var value = argument.StartsWith("--", StringComparison.Ordinal) ? argument.IndexOf('=') + 1 : 0;
        return argument[..value] + UsersFolder.WrittenOut(argument[value..]);
    }

    /// <summary>Runs what the arguments name and gives the exit code; without arguments it shows the help text. The first Ctrl-C,
    /// SIGTERM or SIGHUP asks the command to stop, which may take it a step and a checkpoint; a second one ends the process at
    /// once.</summary>
    public static async Task<int> RunAsync(Command root, string[] args)
    {
        if (args is [var directive, var line] && Suggest().Match(directive) is { Success: true } suggest)
        {
            foreach (var completion in Completions(root, line, suggest.Groups[1].Value)) Console.WriteLine(completion);
            return 0;
        }
        var parsed = root.Parse(args is [] or ["help"] ? ["--help"] : [.. args.Select(WithUsersFolder)]);
        var command = parsed.CommandResult.Command;
        var options = command.Options.Select(option => option.Name).ToArray();
        var misspelt = Misspelt(parsed) ?? Empty(parsed);
        if (misspelt is not null || parsed.Errors.Count > 0)
        {
            foreach (var error in misspelt is null ? parsed.Errors.Select(error => error.Message) : [misspelt])
                await TellAsync(Spelling.Suggest(error, parsed.UnmatchedTokens, options));
            await Console.Error.WriteLineAsync(command == root
                ? $"See {root.Name} --help."
                : $"See {root.Name} {command.Name} --help.");
            return WrongInput;
        }
        using var stopping = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
        try
        {
            return await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null },
                stopping.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Stopped.");
            return Interrupted;
        }
        catch (ExplainedException e)
        {
            await TellAsync(e.Message);
            return e.ExitCode;
        }
        catch (Exception e) when (e is DeviceException or ShapeException or DllNotFoundException
            or UnauthorizedAccessException or IOException)
        {
            await TellAsync(e.Message);
            return WrongInput;
        }
        catch (ExternalException e)
        {
            await TellAsync(NativeError.Explain(e, options));
            return Failed;
        }
        catch (Exception e)
        {
            await TellAsync($"This is a fault of the program, not of what it was given: {e}");
            return Failed;
        }

        void Stop(PosixSignalContext context)
        {
            context.Cancel = !stopping.IsCancellationRequested;
            stopping.Cancel();
        }
    }

    /// <summary>A command that there is not, or an option that stands where an argument may; null where there is none. An option
    /// that cannot stand there is told by the parser.</summary>
    static string? Misspelt(ParseResult parsed)
    {
        var (result, command) = (parsed.CommandResult, parsed.CommandResult.Command);
        if (command.Subcommands.Count > 0)
            return parsed.UnmatchedTokens.FirstOrDefault(word => !word.StartsWith('-')) is { } word
                ? $"There is no command '{word}'. "
                    + $"Did you mean {Spelling.Nearest(word, command.Subcommands.Select(sub => sub.Name))}?"
                : null;
        if (!command.TreatUnmatchedTokensAsErrors)
            return null;
        var option = result.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens)
            .Select(token => token.Value.Split('=')[0])
            .FirstOrDefault(text => text.StartsWith("--", StringComparison.Ordinal) && !File.Exists(text));
        return option is null ? null
            : Spelling.Suggest($"There is no option '{option}'.", [option], command.Options.Select(known => known.Name));
    }

    /// <summary>An empty value, which names no file, model or number; null where there is none.</summary>
    static string? Empty(ParseResult parsed) => parsed.CommandResult.Children
        .Where(child => child.Tokens.Any(token => string.IsNullOrWhiteSpace(token.Value)))
        .Select(child => child switch
        {
            OptionResult option => $"{option.Option.Name} is empty; give a value, or leave it out.",
            ArgumentResult argument => $"{argument.Argument.Name} is empty; give a value, or leave it out.",
            _ => null,
        })
        .FirstOrDefault(message => message is not null);

    /// <summary>The words that may stand at a place of a command line, as System.CommandLine's directive <c>[suggest:17]</c> asks
    /// for them; shells complete by it. Its own belongs to a root that is named like the program's file.</summary>
    static IEnumerable<string> Completions(Command root, string line, string position) =>
        root.Parse(line).GetCompletions(position.Length > 0 ? int.Parse(position, CultureInfo.InvariantCulture) : line.Length)
            .Select(item => item.InsertText ?? item.Label).Where(word => !word.StartsWith('/')
                && !word.StartsWith("-?", StringComparison.Ordinal)).Distinct();

    [GeneratedRegex(@"^\[suggest(?::([0-9]{1,6}))?\]$")]
    private static partial Regex Suggest();

    /// <summary>How every error looks; an alert on the logs looks for its beginning.</summary>
    static Task TellAsync(string message) => Console.Error.WriteLineAsync($"Error: {message}");
}
