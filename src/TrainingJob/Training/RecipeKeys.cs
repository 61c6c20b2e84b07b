using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace VaeFunctions.Training;

/// <summary>Turns what the JSON reader says of a key or kind that does not exist into a sentence that names the nearest one that
/// does.</summary>
static partial class RecipeKeys
{
    public static string Explain(string message)
    {
        if (UnknownKey().Match(message) is { Success: true } key && Find(key.Groups["type"].Value) is { } type)
            return $"There is no key \"{key.Groups["name"].Value}\"{Place(key.Groups["path"].Value)}; "
                + $"{Suggest(key.Groups["name"].Value, Keys(type))}";
        if (UnknownKind().Match(message) is { Success: true } kind && At(kind.Groups["path"].Value) is { } family)
            return $"There is no kind \"{kind.Groups["name"].Value}\"{Place(kind.Groups["path"].Value)}; "
                + $"{Suggest(kind.Groups["name"].Value, Kinds(family))}";
        if (WrongType().Match(message) is { Success: true } value)
            return $"The value{Place(value.Groups["path"].Value)} is not {Spelling.TypeInWords(value.Groups["type"].Value)}.";
        return message;
    }

    static string Suggest(string found, IReadOnlyList<string> known) =>
        $"did you mean \"{Spelling.Nearest(found, known)}\"? There are {string.Join(", ", known)}.";

    static string Place(string path) => path is "" or "$" ? "" : $" in {path.TrimStart('$', '.')}";

    static Type? Find(string name) => typeof(Recipe).Assembly.GetType(name) ?? typeof(Models.ModelOptions).Assembly.GetType(name);

    /// <summary>The type that is expected at a path such as <c>$.optimizer.schedule</c>.</summary>
    static Type? At(string path) =>
        path.TrimStart('$').Split('.', StringSplitOptions.RemoveEmptyEntries).Aggregate((Type?)typeof(Recipe), (type, key) =>
        Variants(type).SelectMany(variant => variant.GetProperties())
            .FirstOrDefault(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name) == key)?.PropertyType);

    static IEnumerable<Type> Variants(Type? type) =>
        type is null
            ? []
            : [type, .. type.GetCustomAttributes<JsonDerivedTypeAttribute>(inherit: false).Select(kind => kind.DerivedType)];

    static string[] Keys(Type type) =>
    [
        .. type.GetProperties().Where(property => property.CanWrite && property.GetCustomAttribute<JsonIgnoreAttribute>() is null)
            .Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name)).Order(StringComparer.Ordinal),
    ];

    static string[] Kinds(Type type) =>
        [.. type.GetCustomAttributes<JsonDerivedTypeAttribute>(inherit: false).Select(kind => $"{kind.TypeDiscriminator}")];

    [GeneratedRegex(@"The JSON property '(?<name>[^']*)' could not be mapped to any \.NET member contained in type "
        + @"'(?<type>[^']*)'\.")]
    private static partial Regex UnknownKey();

    [GeneratedRegex("""The JSON value could not be converted to (?<type>[^ ]*)\. Path: (?<path>[^ |]*)""")]
    private static partial Regex WrongType();

    [GeneratedRegex(@"Read unrecognized type discriminator id '(?<name>[^']*)'\..*?Path: (?<path>[^ |]*)",
        RegexOptions.Singleline)]
    private static partial Regex UnknownKind();
}
