using System.Text.Json.Nodes;
using Microsoft.Azure.Functions.Worker;
using VaeFunctions.LocalFunctions;
using VaeFunctions.Serving;

namespace VaeFunctions.Tests;

/// <summary>Both builds have the same functions at the same routes: those of openapi.json. What the portable build has is read off its
/// assembly; what the cloud build has, off the functions.metadata that the worker's SDK writes for the host.</summary>
public sealed class CloudBuildTests
{
    const string Build = "dotnet build src/Functions -p:Profile=cloud";

    static readonly IReadOnlyList<FunctionMethod> Portable = FunctionMethod.FindAll(typeof(OpenApiFunction).Assembly);

    [Fact]
    public void The_portable_build_has_the_routes_of_openapi() => Assert.Equal(Described(), Portable.SelectMany(Routes).Order());

    [SkippableFact]
    public void The_cloud_build_has_the_routes_of_openapi() => Assert.Equal(Described(), Cloud().SelectMany(Routes).Order());

    [SkippableFact]
    public void The_cloud_build_has_the_triggers_of_the_portable_build() =>
        Assert.Equal(Portable.Select(Trigger).Order(), Cloud().Select(Trigger).Order());

    /// <summary>Method, route and whether a key is asked for, as the document says.</summary>
    static IEnumerable<string> Described() =>
        OpenApiFunction.Build(typeof(OpenApiFunction).Assembly)["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(operation => Route(operation.Key, path.Key, operation.Value!["security"] is not null)))
            .Order();

    static IEnumerable<string> Routes(FunctionMethod function) => function.Trigger is HttpTriggerAttribute http
        ? http.Methods!.Select(verb => Route(verb, $"/{http.Route}", http.AuthLevel != AuthorizationLevel.Anonymous))
        : [];

    static IEnumerable<string> Routes(JsonNode function) => Binding(function) is var binding && (string)binding["type"]! == "httpTrigger"
        ? binding["methods"]!.AsArray().Select(verb => Route((string)verb!, $"/{(string)binding["route"]!}", (string)binding["authLevel"]! != nameof(AuthorizationLevel.Anonymous)))
        : [];

    static string Route(string verb, string path, bool key) => $"{verb.ToUpperInvariant()} {path}{(key ? " with a key" : "")}";

    static string Trigger(FunctionMethod function) => $"{function.Name} {function.EntryPoint}: " + function.Trigger switch
    {
        HttpTriggerAttribute http => $"{http.Route} {http.AuthLevel}",
        BlobTriggerAttribute blob => $"{blob.BlobPath} of {blob.Connection} by {blob.Source}",
        QueueTriggerAttribute queue => $"{queue.QueueName} of {queue.Connection}",
        TimerTriggerAttribute timer => timer.Schedule,
        var other => throw new NotSupportedException($"{function.Name} has a {other.GetType().Name}, which this test does not know."),
    };

    static string Trigger(JsonNode function)
    {
        var binding = Binding(function);
        return $"{(string)function["name"]!} {(string)function["entryPoint"]!}: " + (string)binding["type"]! switch
        {
            "httpTrigger" => $"{binding["route"]} {binding["authLevel"]}",
            "blobTrigger" => $"{binding["path"]} of {binding["connection"]} by {binding["source"]}",
            "queueTrigger" => $"{binding["queueName"]} of {binding["connection"]}",
            "timerTrigger" => $"{binding["schedule"]}",
            var other => throw new NotSupportedException($"{function["name"]} has a {other}, which this test does not know."),
        };
    }

    static JsonNode Binding(JsonNode function) => function["bindings"]!.AsArray().Single(binding => ((string)binding!["type"]!).EndsWith("Trigger", StringComparison.Ordinal))!;

    /// <summary>The newest cloud build's functions. Without one, or where the source has changed since, there is nothing to compare.</summary>
    static IEnumerable<JsonNode> Cloud()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "VaeFunctions.sln"))) root = root.Parent!;
        var folder = new DirectoryInfo(Path.Combine(root.FullName, "artifacts", "cloud", "bin", "Functions"));
        var built = folder.Exists ? folder.EnumerateFiles("functions.metadata", SearchOption.AllDirectories).MaxBy(file => file.LastWriteTimeUtc) : null;
        Skip.If(built is null, $"The cloud profile is not built here; {Build} does, where its packages restore.");
        var source = new DirectoryInfo(Path.Combine(root.FullName, "src", "Functions")).EnumerateFiles("*.cs", SearchOption.AllDirectories).MaxBy(file => file.LastWriteTimeUtc)!;
        var assembly = new FileInfo(Path.Combine(built!.DirectoryName!, "VaeFunctions.Functions.dll")); // functions.metadata is only written when it changes
        Skip.If(source.LastWriteTimeUtc > assembly.LastWriteTimeUtc, $"{source.Name} has changed since the cloud profile was built; {Build} again.");
        return JsonNode.Parse(File.ReadAllText(built!.FullName))!.AsArray().Select(function => function!);
    }
}
