using System.Text.Json;

namespace VaeFunctions.Tests.Infra;

/// <summary>Every Bicep file compiled and linted, and a whole deployment of the main one: once for all tests.</summary>
public sealed class CompiledTemplates : IAsyncLifetime
{
    const string Files = "**/*.bicep";

    /// <summary>All that a deployment can have, serving on a GPU.</summary>
    const string Whole = """
        param environmentName = 'demo'
        param location = 'here'
        param principalId = '01234567-89ab-cdef-0123-456789abcdef'
        param gpu = 'Consumption-GPU-NC8as-T4'
        param serveOn = 'gpu'
        param functionsImage = 'functions'
        param trainingImage = 'training'
        param functionKeys = { 'host-master': '1', 'host-function-default': '2', 'host-systemkey-blobs-extension': '3' }
        param retrainCron = '0 3 * * 1'
        param budgetStart = '2026-01-01'
        """;

    /// <summary>What the compiler and the linter said.</summary>
    public string Complaints { get; private set; } = "";

    /// <summary>The compiled templates by the path of their source, from infra/.</summary>
    public IReadOnlyDictionary<string, JsonElement> ByFile { get; private set; } = new Dictionary<string, JsonElement>();

    public IReadOnlyList<JsonElement> Resources { get; private set; } = [];

    public JsonElement Functions =>
        Resources.Single(resource => Type(resource) == "Microsoft.App/containerApps").GetProperty("properties");

    public async Task InitializeAsync()
    {
        using var folder = new TemporaryFolder();
        await using var build = await Bicep.RunAsync("build", "--pattern", $"{Scripts.Folder}/{Files}", "--outdir", folder.Path);
        await using var lint = await Bicep.RunAsync("lint", "--pattern", $"{Scripts.Folder}/{Files}");
        Complaints = (build.Output + lint.Output).Trim();
        Assert.True(build.ExitCode == 0 && lint.ExitCode == 0, Complaints);
        var compiled = new Dictionary<string, JsonElement>();
        foreach (var file in Directory.EnumerateFiles(Scripts.Folder, "*.bicep", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(Scripts.Folder, file);
            compiled[name] = await Bicep.ReadAsync(Path.Combine(folder.Path, Path.ChangeExtension(name, "json")));
        }
        ByFile = compiled;
        Resources = await Bicep.ResourcesAsync("main.bicep", Whole);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public static string Type(JsonElement resource) => resource.GetProperty("type").GetString()!;
}
