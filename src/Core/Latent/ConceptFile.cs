using System.Globalization;
using System.Text.RegularExpressions;
using VaeFunctions.Registry;

namespace VaeFunctions.Latent;

/// <summary>Concepts as safetensors: <c>NAME.mean</c> and <c>NAME.logistic</c>, [L] each; unit, separability and examples in the
/// metadata.</summary>
public static partial class ConceptFile
{
    public const string Name = "concepts.safetensors";

    /// <summary>Whether a concept may be called so: 1 to 63 letters of any script, none of them a capital, digits, '-' and '_',
    /// beginning with a letter or digit.</summary>
    public static bool IsConceptName(string name) => ConceptName().IsMatch(name);

    /// <summary>Any text as a concept's name: "Long Hair" becomes long_hair, "Café" cafe.</summary>
    public static string ToConceptName(string text)
    {
        var plain = Accents().Replace(Names.Key(text), "").ToLowerInvariant();
        var name = Strange().Replace(plain, "_").Trim('_', '-');
        name = name[..Math.Min(name.Length, 63)];
        return IsConceptName(name) ? name : "unnamed";
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
                ($"{concept.Name}.separability",
                    (concept.Separability ?? double.NaN).ToString("R", CultureInfo.InvariantCulture)),
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
            var means = file.Tensors.Where(tensor => tensor.Name.EndsWith(".mean", StringComparison.Ordinal)).ToArray();
            if (means is [])
                throw new ModelFormatException($"{path} holds no concept; at least one tensor NAME.mean was expected.");
            return [.. means.Select(tensor =>
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
                return new Concept(name, mean, logistic, Judged(Number(file, $"{name}.separability")),
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

    /// <summary>NaN stands for a separability that was not judged.</summary>
    static double? Judged(double separability) => double.IsNaN(separability) ? null : separability;

    static NamedTensor Vector(string name, float[] values) => new(name, new(values.Length), values);

    [GeneratedRegex(@"^[\p{Ll}\p{Lo}\p{Nd}][\p{Ll}\p{Lo}\p{Lm}\p{M}\p{Nd}_-]{0,62}\z")]
    private static partial Regex ConceptName();

    [GeneratedRegex(@"[^\p{Ll}\p{Lo}\p{Lm}\p{M}\p{Nd}_-]+")]
    private static partial Regex Strange();

    /// <summary>What stands on Latin, Greek and Cyrillic letters; other scripts' marks are part of their words.</summary>
    [GeneratedRegex(@"[\u0300-\u036F]")]
    private static partial Regex Accents();
}
