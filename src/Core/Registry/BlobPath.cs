using System.Text.RegularExpressions;

namespace VaeFunctions.Registry;

/// <summary>A checked blob path. What passes here means the same blob in Azure and in a folder, and stays inside that
/// folder.</summary>
readonly partial record struct BlobPath(string Container, string Name)
{
    /// <summary>Names that begin so are the folder store's own: files being written, and locks.</summary>
    public const string Reserved = ".~";

    /// <exception cref="BlobPathException">The path names no blob, or one that would not be safe.</exception>
    public static BlobPath Parse(string path) => Split(path, isPrefix: false);

    /// <summary>A prefix names a container and ends anywhere in a name: <c>models/</c>, <c>inbox/faces/img_0</c>.</summary>
    /// <exception cref="BlobPathException">No path that is allowed begins like this.</exception>
    public static BlobPath ParsePrefix(string prefix) => Split(prefix, isPrefix: true);

    /// <summary>As <see cref="ParsePrefix"/>, but the prefix ends in a slash.</summary>
    /// <exception cref="BlobPathException">No path that is allowed begins like this.</exception>
    public static BlobPath ParseFolder(string prefix) =>
        prefix.EndsWith('/') ? ParsePrefix(prefix) : throw Wrong(prefix, "a folder's prefix ends in /");

    public override string ToString() => $"{Container}/{Name}";

    static BlobPath Split(string path, bool isPrefix)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length > 1024) throw Wrong(path, "it is longer than 1024 characters");
        if (path.Contains('\\') || path.Any(char.IsControl)) throw Wrong(path, "it holds a backslash or a control character");
        if (path.Split('/', 2) is not [var container, var name]) throw Wrong(path, "the form is container/name");
        if (!ContainerName().IsMatch(container))
            throw Wrong(path, "a container's name is 3 to 63 lower-case letters, digits and single hyphens");

        var segments = name.Split('/');
        foreach (var segment in isPrefix ? segments[..^1] : segments)
            if (segment is "" or "." or "..") throw Wrong(path, "a segment is empty, . or ..");
        if (isPrefix && segments[^1] == "..") throw Wrong(path, "a segment is ..");
        if (segments.Any(segment => segment.StartsWith(Reserved, StringComparison.Ordinal)))
            throw Wrong(path, $"a segment begins with {Reserved}, which is reserved");
        return new BlobPath(container, name);
    }

    static BlobPathException Wrong(string path, string why) =>
        new($"\"{(path.Length > 100 ? path[..100] + "…" : path)}\" is not a blob path such as models/faces/current.json: {why}.");

    [GeneratedRegex("^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]\\z")]
    private static partial Regex ContainerName();
}
