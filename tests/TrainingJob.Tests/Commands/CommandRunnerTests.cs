using System.CommandLine;
using VaeFunctions.Commands;
using VaeFunctions.Models;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Tests.Commands;

public class CommandRunnerTests
{
    public static TheoryData<Exception, int> Ends => new()
    {
        { new ArgumentException("Shape: 3 axes do not fit 4."), CommandRunner.Failed },
        { new ArgumentNullException("store"), CommandRunner.Failed },
        { new InvalidOperationException("The model declares the parameter twice."), CommandRunner.Failed },
        { new StorageException("The storage went away.") { ExitCode = 1 }, CommandRunner.Failed },
        { new RecipeException("There is no such recipe."), CommandRunner.WrongInput },
        { new IOException("The disk is full."), CommandRunner.WrongInput },
    };

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task Only_what_is_wrong_with_the_input_ends_as_wrong_input(Exception thrown, int expected) =>
        Assert.Equal(expected, await RunAsync(() => throw thrown));

    [Fact]
    public async Task A_model_that_cannot_be_built_is_wrong_input() => Assert.Equal(CommandRunner.WrongInput, await RunAsync(() =>
        new MlpVaeOptions { Image = new(8, 8, 2), Hidden = [4], Latent = 2, Likelihood = new BernoulliOptions() }.Build()));

    [Fact]
    public async Task A_path_that_leaves_its_folder_is_wrong_input()
    {
        using var folder = new TemporaryFolder();
        var store = new FolderBlobStore(folder.Path);
        Assert.Equal(CommandRunner.WrongInput, await RunAsync(() =>
            store.TryReadAsync("models/../secret", 10).GetAwaiter().GetResult()));
    }

    [Theory]
    [InlineData("run", "--name", "")]
    [InlineData("run", "--name", " ")]
    [InlineData("run", "--name", "a", "")]
    public async Task An_empty_value_is_wrong_input_before_anything_runs(params string[] line)
    {
        var ran = false;
        Assert.Equal(CommandRunner.WrongInput, await RunAsync(() => ran = true, line));
        Assert.False(ran);
    }

    [Theory]
    [InlineData("~", "{home}")]
    [InlineData("~/pictures/a b", "{home}/pictures/a b")]
    [InlineData("--name=~/pictures", "{home}/pictures")]
    [InlineData("./~/pictures", "./~/pictures")]
    [InlineData("~else/pictures", "~else/pictures")]
    [InlineData("a~/pictures", "a~/pictures")]
    public async Task A_tilde_that_the_shell_left_is_the_users_folder(string typed, string meant)
    {
        var seen = "";
        Option<string?> name = new("--name");
        Argument<string?> file = new("file") { Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("run", "Runs.") { name, file };
        command.SetAction(parsed => seen = parsed.GetValue(name) ?? parsed.GetValue(file));
        await CommandRunner.RunAsync(CommandRunner.Root("A test.", [command]), ["run", typed]);
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        Assert.Equal(meant.Replace("{home}", home, StringComparison.Ordinal), seen);
    }

    static Task<int> RunAsync(Action action, params string[] line)
    {
        Option<string> name = new("--name");
        Argument<string?> file = new("file") { Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("run", "Runs.") { name, file };
        command.SetAction((_, _) =>
        {
            action();
            return Task.FromResult(0);
        });
        return CommandRunner.RunAsync(CommandRunner.Root("A test.", [command]), line is [] ? ["run"] : line);
    }
}
