using System.Text.RegularExpressions;
using VaeFunctions.Data;
using VaeFunctions.Registry;
using VaeFunctions.Training;

namespace VaeFunctions.Sessions;

/// <summary>The training of images for which no recipe is named: it looks at them and makes one.</summary>
public static partial class AutoRequest
{
    /// <param name="data">Where the images are.</param>
    /// <param name="log">Told what is chosen, a line for each choice.</param>
    /// <param name="length">What decides the length instead of the recipe, such as <c>--minutes</c>; null where nothing
    /// does.</param>
    /// <exception cref="RecipeException">It is not said where the images are.</exception>
    /// <exception cref="DataException">There are none, or none that can be read.</exception>
    public static async Task<TrainingRequest> OfAsync(
        string? data, IBlobStore store, Action<string> log, string? length = null, CancellationToken cancellation = default)
    {
        if (data is null)
            throw new RecipeException("No recipe is named, so the images decide, but it is not said where they are. Give --data "
                + $"folder:PATH, or a recipe: {string.Join(", ", RecipeBook.Names)}.");
        var blobs = data.StartsWith("blob:", StringComparison.Ordinal) ? Stores.Open(Stores.Blob) : null;
        var survey = await DataSources.SurveyAsync(data, new() { Blobs = blobs }, cancellation);
        if (survey.Images < 2)
            throw new DataException($"{data}: there is 1 image; a model needs at least 2, one to train on and one to test with, "
                + "and hundreds to be of use. Add images.");
        var auto = AutoRecipe.For(survey, data, length);
        log($"{data}: {Plural.Of(survey.Images, "image")}, of which {Plural.Of(survey.Looked, "was", "were")} looked at. "
            + "A recipe for them:");
        foreach (var choice in auto.Choices) log($"  {choice}");
        return new(AutoRecipe.Name, auto.Recipe, store) { Model = NameOf(data), Data = data, KeepRecipe = true };
    }

    /// <summary>The last part of the place, as far as it makes a name.</summary>
    static string NameOf(string data)
    {
        var last = data.TrimEnd('/').Split(':', '/', '\\')[^1].ToLowerInvariant();
        var name = Strange().Replace(ArchiveEnding().Replace(last, ""), "-").Trim('-', '.');
        name = name[..Math.Min(name.Length, 40)];
        return ModelRegistry.IsModelName(name) ? name : AutoRecipe.Name;
    }

    [GeneratedRegex("[^a-z0-9._-]+")]
    private static partial Regex Strange();

    [GeneratedRegex(@"\.(zip|tar|tar\.gz|tgz)$")]
    private static partial Regex ArchiveEnding();
}
