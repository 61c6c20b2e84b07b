using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace VaeFunctions.Tests;

/// <summary>What may know what: between projects, between namespaces, and that serving knows no tensors.</summary>
public sealed class DependencyTests
{
    /// <summary>The projects that each project may reference.</summary>
    static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Tensors"] = [],
        ["Tensors.Torch"] = ["Tensors"],
        ["Core"] = ["Tensors"],
        ["TrainingJob"] = ["Core", "Tensors", "Tensors.Torch"],
        ["Functions"] = ["Core"],
        ["LocalCloud"] = ["Core", "Functions", "TrainingJob"],
    };

    [Fact]
    public void Projects_reference_only_those_below_them()
    {
        var references = Directory.EnumerateFiles(Path.Combine(Repository(), "src"), "*.csproj", SearchOption.AllDirectories)
            .ToDictionary(file => Path.GetFileNameWithoutExtension(file), References);

        Assert.Equal(Allowed.Keys.Order(), references.Keys.Order());
        Assert.All(references, project => Assert.Empty(project.Value.Except(Allowed[project.Key])));
    }

    [SkippableFact]
    public void Functions_name_no_tensor()
    {
        using var assembly = Built("Functions");
        var metadata = assembly.GetMetadataReader();

        var named = metadata.TypeReferences.Select(metadata.GetTypeReference)
            .Select(type => metadata.GetString(type.Namespace)).ToHashSet();
        var assemblies = metadata.AssemblyReferences.Select(each => metadata.GetString(metadata.GetAssemblyReference(each).Name));

        Assert.Contains("VaeFunctions.Registry", named);
        Assert.DoesNotContain("VaeFunctions.Tensors", named);
        Assert.DoesNotContain(assemblies, name => name.StartsWith("VaeFunctions.Tensors", StringComparison.Ordinal));
    }

    /// <param name="remaining">The circle that is still there and must go from this list with its cut, as "one ↔ other".</param>
    [SkippableTheory]
    [InlineData("Tensors", null)]
    [InlineData("Core", "VaeFunctions.Imaging ↔ VaeFunctions.Imaging.Codecs")]
    [InlineData("TrainingJob", "VaeFunctions.Data ↔ VaeFunctions.Data.Faces")]
    public void No_namespaces_know_each_other_in_a_circle_but_those_listed(string project, string? remaining)
    {
        using var assembly = Built(project);
        var listed = remaining?.Split(" ↔ ");

        var circles = new NamespaceGraph(assembly).Circles().ToList();

        Assert.Equal(
            listed is null ? [] : [$"{listed[0]} → {listed[1]}", $"{listed[1]} → {listed[0]}"],
            circles.Select(arrow => arrow[..arrow.IndexOf(':', StringComparison.Ordinal)]));
    }

    [Fact]
    public void A_circle_between_namespaces_is_found()
    {
        using var assembly = new PEReader(File.OpenRead(typeof(DependencyTests).Assembly.Location));

        Assert.Equal(
            [
                "CircleOfTests.Left → CircleOfTests.Right: Hen names Egg",
                "CircleOfTests.Right → CircleOfTests.Left: Egg names Hen",
            ],
            new NamespaceGraph(assembly).Circles().Where(arrow => arrow.StartsWith("CircleOfTests", StringComparison.Ordinal)));
    }

    static IEnumerable<string> References(string project) =>
        XDocument.Load(project).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value));

    /// <summary>A project's assembly: beside the tests if they use it, else where it is built to.</summary>
    static PEReader Built(string project)
    {
        var name = $"VaeFunctions.{project}.dll";
        var beside = Path.Combine(AppContext.BaseDirectory, name);
        var configuration = Path.GetFileName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var path = File.Exists(beside) ? beside : Path.Combine(Repository(), "artifacts", "bin", project, configuration, name);
        Skip.IfNot(File.Exists(path), $"{path} is not built (dotnet build src/{project} -c {configuration})");
        return new(File.OpenRead(path));
    }

    static string Repository()
    {
        var folder = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar);
        while (!File.Exists(Path.Combine(folder, "VaeFunctions.sln")))
        {
            folder = Path.GetDirectoryName(folder)
                ?? throw new FileNotFoundException($"No folder above {AppContext.BaseDirectory} holds VaeFunctions.sln.");
        }
        return folder;
    }
}
