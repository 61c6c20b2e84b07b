namespace VaeFunctions.Data;

/// <summary>The folder of whoever runs the program, which people write as <c>~</c>.</summary>
static class UsersFolder
{
    /// <summary>A path that is <c>~</c> or begins with <c>~/</c>, written out; any other as it is.</summary>
    public static string WrittenOut(string path) => path is "~" || path.StartsWith("~/", StringComparison.Ordinal)
        ? Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), path[1..])
        : path;
}
