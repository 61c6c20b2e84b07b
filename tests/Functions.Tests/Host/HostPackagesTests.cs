using System.Reflection;
using System.Text.Json.Nodes;

namespace VaeFunctions.Tests.Host;

/// <summary>The local host listens with the very extensions that the functions bring to Azure's host.</summary>
public sealed class HostPackagesTests
{
    const string Extensions = "Microsoft.Azure.WebJobs.Extensions", Blobs = $"{Extensions}.Storage.Blobs",
        Queues = $"{Extensions}.Storage.Queues";

    [Theory]
    [InlineData(Extensions)] // the timer's
    [InlineData(Blobs)]
    [InlineData(Queues)]
    public void The_host_has_the_version_of_an_extension_that_the_functions_bring(string package) =>
        Assert.Equal(
            VersionOf(package, Path.Combine(FunctionsApp.Folder, ".azurefunctions", "function.deps.json")),
            VersionOf(package, Path.ChangeExtension(typeof(HostPackagesTests).Assembly.Location, ".deps.json")));

    [Fact]
    public void The_functions_bring_no_listener_that_the_host_does_not_have()
    {
        var extensions = JsonNode.Parse(File.ReadAllText(Path.Combine(FunctionsApp.Folder, "extensions.json")))![
            "extensions"]!.AsArray();
        var brought = extensions.Select(extension => new AssemblyName(((string)extension!["typeName"]!).Split(", ", 2)[1]))
            // It reads functions.metadata, which the local host asks the worker for.
            .Where(extension => extension.Name != $"{Extensions}.FunctionMetadataLoader").ToList();
        Assert.Equal([Blobs, Queues], brought.Select(extension => extension.Name!).Order());
        Assert.All(brought, extension => Assert.Equal(extension.Version, Assembly.Load(extension.Name!).GetName().Version));
    }

    /// <summary>The version of a package that a list of a build's dependencies names.</summary>
    static string VersionOf(string package, string list)
    {
        var libraries = JsonNode.Parse(File.ReadAllText(list))!["libraries"]!.AsObject();
        return libraries.Select(library => library.Key.Split('/')).Single(library => library[0] == package)[1];
    }
}
