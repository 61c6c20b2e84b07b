using System.Collections.Concurrent;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace VaeFunctions.Serving;

/// <summary>What the doc comments of records say, out of the XML files that the compiler writes beside the assemblies.</summary>
static partial class DocComments
{
    static readonly ConcurrentDictionary<Assembly, Dictionary<string, XElement>> Files = new();

    /// <summary>A type's summary, or null where there is none.</summary>
    public static string? Of(Type type) => Text(MemberOf(type, $"T:{type.FullName}")?.Element("summary"));

    /// <summary>What is said of a property: in its own summary, or as a parameter of its record.</summary>
    /// <param name="name">In any case.</param>
    public static string? Of(Type type, string name)
    {
        var property = type.GetProperty(
            name, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase)?.Name ?? name;
        return Text(MemberOf(type, $"P:{type.FullName}.{property}")?.Element("summary"))
            ?? Text(MemberOf(type, $"T:{type.FullName}")?.Elements("param")
                .FirstOrDefault(param => (string?)param.Attribute("name") == property));
    }

    static XElement? MemberOf(Type type, string id) => Files.GetOrAdd(type.Assembly, Read).GetValueOrDefault(id);

    static Dictionary<string, XElement> Read(Assembly assembly)
    {
        var file = Path.ChangeExtension(assembly.Location, ".xml");
        return File.Exists(file)
            ? XDocument.Load(file).Descendants("member").ToDictionary(member => (string)member.Attribute("name")!)
            : [];
    }

    static string? Text(XElement? comment) =>
        comment is null ? null : Spaces().Replace(string.Concat(comment.Nodes().Select(Words)), " ").Trim();

    /// <summary>What a reference refers to, in its short name, and the content of all other elements.</summary>
    static string Words(XNode node) => node is XElement { Name.LocalName: "see" or "paramref" } reference
        ? ((string?)reference.Attribute("cref") ?? (string?)reference.Attribute("name") ?? "").Split('.', ':')[^1]
        : node is XElement element ? element.Value : ((XText)node).Value;

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
