using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace VaeFunctions.Training;

/// <summary>Turns what the JSON reader says of a key or kind that does not exist into a sentence that names the nearest one that does.</summary>
static partial class RecipeKeys
{
    public static string Explain(string message)
    {
        if (UnknownKey().Match(message) is { Success: true } key && Find(key.Groups["type"].Value) is { } type)
            return $"There is no key \"{key.Groups["name"].Value}\"{Place(key.Groups["path"].Value)}; {Suggest(key.Groups["name"].Value, Keys(type))}";
        if (UnknownKind().Match(message) is { Success: true } kind && At(kind.Groups["path"].Value) is { } family)
            return $"There is no kind \"{kind.Groups["name"].Value}\"{Place(kind.Groups["path"].Value)}; {Suggest(kind.Groups["name"].Value, Kinds(family))}";
        return message;
    }

    static string Suggest(string found, IReadOnlyList<string> known) =>
        $"did you mean \"{known.MinBy(name => Distance(found, name))}\"? There are {string.Join(", ", known)}.";

    static string Place(string path) => path is "" or "$" ? "" : $" in {path.TrimStart('$', '.')}";

    static Type? Find(string name) => typeof(Recipe).Assembly.GetType(name) ?? typeof(Models.ModelOptions).Assembly.GetType(name);

    /// <summary>The type that is expected at a path such as <c>$.optimizer.schedule</c>.</summary>
    static Type? At(string path) => path.TrimStart('$').Split('.', StringSplitOptions.RemoveEmptyEntries).Aggregate((Type?)typeof(Recipe), (type, key) =>
        Variants(type).SelectMany(variant => variant.GetProperties()).FirstOrDefault(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name) == key)?.PropertyType);

    static IEnumerable<Type> Variants(Type? type) =>
        type is null ? [] : [type, .. type.GetCustomAttributes<JsonDerivedTypeAttribute>(inherit: false).Select(kind => kind.DerivedType)];

    static string[] Keys(Type type) =>
    [
        .. type.GetProperties().Where(property => property.CanWrite && property.GetCustomAttribute<JsonIgnoreAttribute>() is null)
            .Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name)).Order(StringComparer.Ordinal),
    ];

    static string[] Kinds(Type type) => [.. type.GetCustomAttributes<JsonDerivedTypeAttribute>(inherit: false).Select(kind => $"{kind.TypeDiscriminator}")];

    /// <summary>The least number of letters put in, left out or exchanged that makes one word of the other. (Levenshtein 1966)</summary>
    static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
                (row[j], diagonal) = (Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]) ? 0 : 1)), row[j]);
        }
        return row[^1];
    }

    [GeneratedRegex("""The JSON property '(?<name>[^']*)' could not be mapped to any \.NET member contained in type '(?<type>[^']*)'\.""")]
    private static partial Regex UnknownKey();

    [GeneratedRegex("""Read unrecognized type discriminator id '(?<name>[^']*)'\..*?Path: (?<path>[^ |]*)""", RegexOptions.Singleline)]
    private static partial Regex UnknownKind();
}
