using System.Text.RegularExpressions;
using VaeFunctions.Imaging;
using VaeFunctions.LocalCloud;

namespace VaeFunctions.Tests;

/// <summary>What the README shows works as it stands there.</summary>
[Collection(nameof(ReadmeTests))] // its example works in the current folder
public sealed partial class ReadmeTests
{
    [Fact]
    public void The_example_of_the_readme_is_the_one_that_is_compiled()
    {
        var readme = File.ReadAllText(Path.Combine(Installation.Root, "README.md"));
        var source = File.ReadAllText(Path.Combine(Installation.Root, "tests/EndToEnd.Tests/ReadmeExample.cs"));

        Assert.Equal(Lines(Compiled().Match(source).Groups[1].Value), Lines(Shown().Match(readme).Groups[1].Value));

        static string[] Lines(string code) =>
            code.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
    }

    [Fact]
    public async Task The_example_draws_faces_from_a_published_model()
    {
        using var folder = new TemporaryFolder();
        await using var training = await Command.RunAsync(
            Command.LocalCloud, "train", "faces-vae", "--data", "faces:400", "--epochs", "1", "--out", folder.File("runs"));
        Assert.True(training.ExitCode == 0, training.Output);
        var before = Environment.CurrentDirectory;
        try
        {
            Environment.CurrentDirectory = folder.Path;
            await ReadmeExample.RunAsync();
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }
        var sheet = ImageCodec.Decode(File.ReadAllBytes(folder.File("faces.png")));
        Assert.True(sheet.Width >= 4 * 32 && sheet.Pixels.Distinct().Count() > 20, "a sheet of 4 × 4 faces, not a grey image");
    }

    [Fact]
    public void No_example_saves_an_error_under_the_name_of_a_picture()
    {
        var pages = Directory.GetFiles(Path.Combine(Installation.Root, "docs"), "*.md")
            .Append(Path.Combine(Installation.Root, "README.md"));
        string[] saving = [.. pages.SelectMany(File.ReadLines).Where(line =>
            line.StartsWith("curl ", StringComparison.Ordinal) && line.Contains(" -o ", StringComparison.Ordinal))];

        Assert.True(saving.Length > 15, $"{saving.Length} lines");
        Assert.All(saving, line => Assert.Contains(" -f ", line, StringComparison.Ordinal));
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Shown();

    [GeneratedRegex("// README: begin\n(.*?)// README: end", RegexOptions.Singleline)]
    private static partial Regex Compiled();
}

[CollectionDefinition(nameof(ReadmeTests), DisableParallelization = true)]
public sealed class ReadmeCollection;
