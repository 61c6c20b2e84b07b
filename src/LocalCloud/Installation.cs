namespace VaeFunctions.LocalCloud;

/// <summary>Where the programs that this one starts stand: the repository that it was built in.</summary>
static class Installation
{
    public static string Root { get; } = FindRoot();

    /// <summary>The storage emulator's entry point, restored from npm.</summary>
    public static string Azurite => Existing(Path.Combine(Root, "node_modules/azurite/dist/src/azurite.js"));

    /// <summary>What the build makes.</summary>
    public static string Artifacts => Path.Combine(Root, "artifacts");

    /// <summary>The folder that the functions are built into.</summary>
    public static string Functions => Path.GetDirectoryName(Dll("Functions"))!;

    /// <summary>A project's program. All are built side by side: bin/{Project}/release/VaeFunctions.{Project}.dll.</summary>
    public static string Dll(string project)
    {
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        return Existing(Path.Combine(Artifacts, "bin", project, configuration, $"VaeFunctions.{project}.dll"));
    }

    static string Existing(string path) =>
        File.Exists(path) ? path : throw new LocalCloudException($"{path} is missing; ./vae setup restores and builds it.");

    static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "VaeFunctions.sln")))
                return folder.FullName;
        }
        throw new LocalCloudException(
            $"No VaeFunctions.sln above {AppContext.BaseDirectory}: this program runs from its repository.");
    }
}
