using VaeFunctions.LocalCloud;

namespace VaeFunctions.Tests;

public class VaeScriptTests
{
    static string Script => Path.Combine(Installation.Root, "vae");

    [Fact]
    public async Task Without_arguments_and_through_a_link_the_script_lists_its_commands()
    {
        using var folder = new TemporaryFolder();
        var link = folder.File("link");
        File.CreateSymbolicLink(link, Script);

        await using var help = await Command.RunAsync(link);

        Assert.Equal(0, help.ExitCode);
        foreach (var command in (string[])["demo", "test", "train", "serve", "drop"])
            Assert.Contains($"./vae {command}", help.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_is_said_without_a_build()
    {
        await using var version = await Command.RunAsync(Script, "--version");

        Assert.Equal(0, version.ExitCode);
        Assert.Matches(@"^VaeFunctions \d+\.\d+\.\d+", version.Output);
        Assert.DoesNotContain("building", version.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_completion_script_is_one_that_bash_takes()
    {
        await using var complete = await Command.RunAsync("bash", "-c", $"source <('{Script}' completion) && complete -p ./vae");

        Assert.True(complete.ExitCode == 0, complete.Output);
        Assert.Contains("_vae", complete.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tr", "train")]
    [InlineData("train faces-vae --fi", "--fit")]
    [InlineData("train faces-vae --fit p", "pad")]
    public async Task A_shell_asks_what_may_stand_here(string line, string expected)
    {
        await using var suggestions = await Command.RunAsync(Command.LocalCloud, $"[suggest:{line.Length}]", line);

        Assert.Equal(0, suggestions.ExitCode);
        Assert.Contains(expected, suggestions.Output.Split('\n', StringSplitOptions.TrimEntries));
    }

    [Fact]
    public async Task An_unknown_command_is_wrong_input()
    {
        await using var command = await Command.RunAsync(Script, "dance");

        Assert.Equal(2, command.ExitCode);
        Assert.Contains("dance", command.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_of_a_program_is_passed_on_with_its_exit_code()
    {
        await using var command = await Command.RunAsync(Script, "drop", "/no/such/file.png");

        Assert.Equal(2, command.ExitCode);
        Assert.Contains("/no/such/file.png", command.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_readme_names_only_commands_that_exist()
    {
        await using var help = await Command.RunAsync(Script);
        var readme = await File.ReadAllTextAsync(Path.Combine(Installation.Root, "README.md"));

        var named = System.Text.RegularExpressions.Regex.Matches(readme, @"\./vae ([a-z]+)")
            .Select(match => match.Groups[1].Value).Distinct();

        Assert.All(named, command => Assert.Matches($@"\b{command}\b", help.Output));
        Assert.Contains("./vae test", readme, StringComparison.Ordinal);
    }
}
