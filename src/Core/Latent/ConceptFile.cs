using System.Globalization;
using System.Text.RegularExpressions;
using VaeFunctions.Registry;

namespace VaeFunctions.Latent;

/// <summary>Concepts as safetensors: <c>NAME.mean</c> and <c>NAME.logistic</c>, [L] each; unit, separability and examples in the
/// metadata.</summary>
public static partial class ConceptFile
{
    public const string Name = "concepts.safetensors";

    /// <summary>Whether a concept may be called so: 1 to 63 lower-case letters, digits, '-' and '_', beginning with a letter or
    /// digit.</summary>
    public static bool IsConceptName(string name) => ConceptName().IsMatch(name);

    /// <summary>Any text as a concept's name: "Long Hair" becomes long_hair.</summary>
    public static string ToConceptName(string text)
    {
        var name = Strange().Replace(text.ToLowerInvariant(), "_").Trim('_', '-');
        return name.Length is 0 ? "unnamed" : name[..Math.Min(name.Length, 63)];
    }

    public static BinaryData Write(IEnumerable<Concept> concepts)
    {
        Concept[] all = [.. concepts];
        return Safetensors.Write(
            all.SelectMany(concept => new[]
            {
                Vector($"{concept.Name}.mean", concept.Mean),
                Vector($"{concept.Name}.logistic", concept.Logistic),
            }),
            all.SelectMany(concept => new (string Key, string Value)[]
            {
                ($"{concept.Name}.separability", concept.Separability.ToString("R", CultureInfo.InvariantCulture)),
                ($"{concept.Name}.unit", concept.Unit.ToString("R", CultureInfo.InvariantCulture)),
                ($"{concept.Name}.examples", concept.Examples.ToString(CultureInfo.InvariantCulture)),
            }).ToDictionary(pair => pair.Key, pair => pair.Value));
    }

    /// <exception cref="ModelFormatException">It is no file of concepts for latents of this length.</exception>
    /// <param name="path">Where it lies, for messages.</param>
    public static IReadOnlyList<Concept> Read(BinaryData content, int latentSize, string path = Name)
    {
        try
        {
            var file = Safetensors.Read(content);
            return [.. file.Tensors.Where(tensor => tensor.Name.EndsWith(".mean", StringComparison.Ordinal)).Select(tensor =>
            {
                var name = tensor.Name[..^".mean".Length];
                float[] mean = file.GetFloats(tensor.Name), logistic = file.GetFloats($"{name}.logistic");
                if (mean.Length != latentSize || logistic.Length != latentSize || !mean.Concat(logistic).All(float.IsFinite))
                    throw new ModelFormatException($"Concept {name}: {mean.Length} and {logistic.Length} numbers were found; "
                        + $"{latentSize} finite ones each were expected.");
                // older files have none
                var unit = file.Metadata.ContainsKey($"{name}.unit") ? (float)Number(file, $"{name}.unit") : 1;
                if (!(unit > 0 && float.IsFinite(unit)))
                    throw new ModelFormatException($"Concept {name}: its unit is {unit}; a finite number above 0 was expected.");
                return new Concept(name, mean, logistic, Number(file, $"{name}.separability"),
                    (int)Number(file, $"{name}.examples")) { Unit = unit };
            })];
        }
        catch (CheckpointException fault)
        {
            throw new ModelFormatException($"The concepts of {path} cannot be read: {fault.Message}", fault);
        }
    }

    static double Number(SafetensorsFile file, string key) =>
        file.Metadata.TryGetValue(key, out var text)
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new ModelFormatException($"The concepts cannot be read: the metadata have no number \"{key}\".");

    static NamedTensor Vector(string name, float[] values) => new(name, new(values.Length), values);

    [GeneratedRegex("^[a-z0-9][a-z0-9_-]{0,62}\\z")]
    private static partial Regex ConceptName();

    [GeneratedRegex("[^a-z0-9_-]+")]
    private static partial Regex Strange();
}
