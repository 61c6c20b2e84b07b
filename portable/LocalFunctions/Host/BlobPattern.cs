using System.Text.RegularExpressions;

namespace VaeFunctions.LocalFunctions;

/// <summary>A blob trigger's path, such as <c>inbox/{model}/{name}</c>: the last name takes slashes too, the others do not.</summary>
sealed partial class BlobPattern
{
    readonly Regex regex;

    /// <exception cref="HostSetupException">The path is no container/name pattern.</exception>
    public BlobPattern(string function, string path)
    {
        Text = path;
        var slash = path.IndexOf('/');
        Container = slash < 0 ? path : path[..slash];
        if (!ContainerName().IsMatch(Container))
            throw new HostSetupException($"Function {function}: \"{path}\" does not begin with a container's name (3 to 63 of a-z, 0-9 and -), as \"inbox/{{name}}\" does.");
        // Literal, name, literal, name, … literal.
        var parts = Parameter().Split(slash < 0 ? "{name}" : path[(slash + 1)..]);
        Prefix = parts[0];
        regex = new Regex($"^{string.Concat(parts.Select(Part))}$", RegexOptions.Singleline | RegexOptions.CultureInvariant);

        string Part(string part, int i) =>
            i % 2 == 0 ? Regex.Escape(part) : $"(?<{part}>{(i == parts.Length - 2 ? ".+" : "[^/]+?")})";
    }

    public string Text { get; }

    public string Container { get; }

    /// <summary>What all fitting names begin with.</summary>
    public string Prefix { get; }

    /// <summary>The values of the pattern's names, or null where a blob's name does not fit.</summary>
    public Dictionary<string, object?>? Match(string name)
    {
        var match = regex.Match(name);
        return match.Success
            ? regex.GetGroupNames().Where(group => !char.IsAsciiDigit(group[0]))
                .ToDictionary(group => group, object? (group) => match.Groups[group].Value, StringComparer.OrdinalIgnoreCase)
            : null;
    }

    [GeneratedRegex("^[a-z0-9](-?[a-z0-9]){2,62}$")]
    private static partial Regex ContainerName();

    [GeneratedRegex("{([A-Za-z_][A-Za-z0-9_]*)}")]
    private static partial Regex Parameter();
}
