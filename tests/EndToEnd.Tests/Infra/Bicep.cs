using System.Text.Json;

namespace VaeFunctions.Tests.Infra;

/// <summary>Bicep's compiler, which the build lays beside the tests. It brings the types of all resources.</summary>
static class Bicep
{
    static string Program { get; } = Executable();

    /// <summary>Runs it. What it prints is what it complains of, unless it was asked to print a template.</summary>
    public static Task<Command> RunAsync(params string[] arguments) => Command.RunAsync(Program, arguments);

    /// <summary>The same with variables of the environment, each as <c>NAME=value</c>.</summary>
    public static Task<Command> RunInAsync(string[] environment, params string[] arguments) =>
        Command.RunAsync("env", [.. environment, Program, .. arguments]);

    /// <summary>The resources that a template makes, with every expression computed but those that only Azure can.</summary>
    /// <param name="template">From infra/, such as main.bicep.</param>
    /// <param name="parameters">Lines such as <c>param gpu = 'none'</c>.</param>
    public static async Task<IReadOnlyList<JsonElement>> ResourcesAsync(string template, string parameters)
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("parameters.bicepparam");
        var path = Path.GetRelativePath(folder.Path, Path.Combine(Scripts.Folder, template));
        await File.WriteAllTextAsync(file, $"using '{path}'\n{parameters}\n");
        // The main template is deployed to a subscription, every other one to a group in it.
        string[] scope = template == "main.bicep" ? ["--location", "here"] : ["--resource-group", "group"];
        await using var snapshot = await RunAsync(
            ["snapshot", file, "--mode", "overwrite", "--subscription-id", $"{Guid.Empty}", .. scope]);
        Assert.True(snapshot.ExitCode == 0 && snapshot.Output.Trim().Length == 0, snapshot.Output);
        var root = await ReadAsync(Path.ChangeExtension(file, "snapshot.json"));
        Assert.Equal(0, root.GetProperty("diagnostics").GetArrayLength());
        return [.. root.GetProperty("predictedResources").EnumerateArray()];
    }

    public static async Task<JsonElement> ReadAsync(string file)
    {
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(file));
        return json.RootElement.Clone();
    }

    /// <summary>The package may come without the right to execute it.</summary>
    static string Executable()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "bicep");
        File.SetUnixFileMode(program, File.GetUnixFileMode(program) | UnixFileMode.UserExecute);
        return program;
    }
}
