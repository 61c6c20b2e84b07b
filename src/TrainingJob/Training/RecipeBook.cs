namespace VaeFunctions.Training;

/// <summary>The recipes that come with the project, by file name, or any recipe file by its path.</summary>
public static class RecipeBook
{
    static string Folder => Path.Combine(AppContext.BaseDirectory, "recipes");

    public static IReadOnlyList<string> Names =>
        [.. Directory.EnumerateFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file))
            .Order(StringComparer.Ordinal)];

    /// <param name="nameOrPath">A recipe's name, or a path that ends in .json.</param>
    /// <exception cref="RecipeException">There is no such recipe, or it is not valid.</exception>
    public static (string Name, Recipe Recipe) Load(string nameOrPath)
    {
        var isPath = nameOrPath.EndsWith(".json", StringComparison.Ordinal);
        var file = isPath ? nameOrPath : Path.Combine(Folder, nameOrPath + ".json");
        if ((!isPath && Path.GetFileName(nameOrPath) != nameOrPath) || !File.Exists(file))
            throw new RecipeException(isPath
                ? $"There is no file {nameOrPath}. A recipe is such a file or one of {string.Join(", ", Names)}."
                : nameOrPath.Contains(':', StringComparison.Ordinal) || Path.Exists(nameOrPath)
                ? $"{nameOrPath} is no recipe. Images are named with --data"
                    + $"{(nameOrPath.Contains(':', StringComparison.Ordinal) ? " " : " folder:")}{nameOrPath}; "
                    + "without a recipe, one is made for them."
                : $"There is no recipe '{nameOrPath}'; did you mean {Spelling.Nearest(nameOrPath, Names)}? There are "
                    + $"{string.Join(", ", Names)}, and any file whose name ends in .json. Images of your own need no recipe: "
                    + "--data folder:PATH.");
        return (Path.GetFileNameWithoutExtension(file), Recipe.Parse(File.ReadAllText(file), file));
    }
}
