using System.Text.RegularExpressions;
using System.Xml.Linq;
using VaeFunctions.LocalCloud;

namespace VaeFunctions.Tests.Infra;

/// <summary>What can be said of an image without building it.</summary>
public partial class ContainerTests
{
    [Theory]
    [InlineData("TrainingJob", "TORCH")]
    [InlineData("Functions", "GPU")]
    public void An_image_runs_without_root_and_says_which_processor_it_is_for(string project, string argument)
    {
        var file = Read(project);
        var last = file[file.LastIndexOf("\nFROM ", StringComparison.Ordinal)..];
        var user = Regex.Matches(last, @"^USER (\S+)$", RegexOptions.Multiline).Last().Groups[1].Value;
        Assert.True(user == "$APP_UID" || (int.TryParse(user, out var id) && id > 0), user);
        Assert.DoesNotMatch(@"(?m)^(RUN|COPY|ADD) ", last[last.IndexOf($"\nUSER {user}", StringComparison.Ordinal)..]);
        Assert.Matches($@"(?m)^ARG {argument}=\w+$", file);
        Assert.Matches(@"(?m)^HEALTHCHECK ", last);
        Assert.DoesNotMatch(@"(?m)^RUN chown -R|^RUN .*chown -R", file); // a second copy of everything
    }

    /// <summary>Native libraries come with the packages, but for those of CUDA.</summary>
    [Fact]
    public void An_image_installs_nothing_but_CUDA()
    {
        Assert.DoesNotContain("apt-get", Read("TrainingJob"), StringComparison.Ordinal);
        var installing = Regex.Matches(Read("Functions").Replace("\\\n", "", StringComparison.Ordinal), @"(?m)^RUN .*apt-get.*$");
        Assert.StartsWith("RUN if [ \"$GPU\" = true ]; then", Assert.Single(installing).Value, StringComparison.Ordinal);
        Assert.EndsWith("fi", installing[0].Value, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TrainingJob")]
    [InlineData("Functions")]
    public void Bases_are_pinned(string project)
    {
        var bases = Regex.Matches(Read(project), @"mcr\.microsoft\.com/\S+").Select(match => match.Value).ToList();
        Assert.Equal(2, bases.Count);
        Assert.All(bases, name => Assert.Matches(@":\d[\w.-]*\d(-\w+)?$", name));
    }

    [Theory]
    [InlineData("TrainingJob")]
    [InlineData("Functions")]
    public void No_secret_goes_into_an_image(string project) =>
        Assert.DoesNotMatch("(?i)password|secret=|token=|connectionstring|accountkey|sas=", Read(project));

    /// <summary>Restored apart: every project file is copied first, and all sources later.</summary>
    [Theory]
    [InlineData("TrainingJob")]
    [InlineData("Functions")]
    public void The_build_has_every_file_that_it_needs(string project)
    {
        var file = Read(project);
        var restore = file.IndexOf("RUN dotnet restore", StringComparison.Ordinal);
        var ignored = File.ReadAllLines(Path.Combine(Installation.Root, ".dockerignore"));
        foreach (var needed in Projects($"src/{project}/{project}.csproj"))
        {
            Assert.Contains($"COPY {needed} ", file[..restore], StringComparison.Ordinal);
            Assert.Contains($"COPY {Path.GetDirectoryName(needed)} ", file[restore..], StringComparison.Ordinal);
        }
        var copied = CopyLine().Matches(file).SelectMany(copy => copy.Groups[1].Value.Split(' ')[..^1]).ToList();
        // What an earlier stage restores is there under the path that it is copied to.
        var restored = RestoredLine().Matches(file).Select(copy => copy.Groups[1].Value).ToList();
        foreach (var needed in Projects($"src/{project}/{project}.csproj").SelectMany(Outside))
        {
            var there = copied.Concat(restored);
            Assert.True(there.Any(path => needed == path || needed.StartsWith($"{path}/", StringComparison.Ordinal)),
                $"{needed} is published, but not copied.");
        }
        foreach (var path in copied)
        {
            Assert.True(Path.Exists(Path.Combine(Installation.Root, path)), $"{path} is copied, but is not there.");
            Assert.Contains(ignored, line => line == $"!{path}" || line == $"!{path.Split('/')[0]}");
        }
        // What every project takes from the root.
        Assert.All([".editorconfig", "Directory.Build.props", "Directory.Packages.props", "global.json"],
            name => Assert.Contains(name, file[..restore], StringComparison.Ordinal));
    }

    [Fact]
    public void Nothing_goes_to_the_builder_that_is_not_named()
    {
        var lines = File.ReadAllLines(Path.Combine(Installation.Root, ".dockerignore"))
            .Where(line => !line.StartsWith('#')).ToList();
        Assert.Equal("*", lines[0]);
        Assert.Contains("**/local.settings.json", lines);
    }

    static string Read(string project) => File.ReadAllText(Path.Combine(Installation.Root, "src", project, "Dockerfile"));

    /// <summary>A project and what it references, from the root.</summary>
    static IEnumerable<string> Projects(string path) => Items(path, "ProjectReference")
        .Select(reference => Path.Combine(Installation.Root, Path.GetDirectoryName(path)!, reference))
        .Select(reference => Path.GetRelativePath(Installation.Root, reference))
        .SelectMany(Projects).Prepend(path).Distinct();

    /// <summary>Files that a project takes from outside its folder, from the root.</summary>
    static IEnumerable<string> Outside(string path) => Items(path, "Content", "None")
        .Where(include => include.StartsWith("../../", StringComparison.Ordinal)).Select(include => include["../../".Length..]);

    static IEnumerable<string> Items(string path, params string[] kinds) =>
        XDocument.Load(Path.Combine(Installation.Root, path)).Descendants()
            .Where(item => kinds.Contains(item.Name.LocalName))
            .SelectMany(item => (item.Attribute("Include")?.Value ?? "").Split(';'));

    [GeneratedRegex(@"^COPY (?!--)(.+)$", RegexOptions.Multiline)]
    private static partial Regex CopyLine();

    [GeneratedRegex(@"^COPY --from=page \S+ (node_modules/\S+)$", RegexOptions.Multiline)]
    private static partial Regex RestoredLine();
}
