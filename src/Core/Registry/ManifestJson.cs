using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace VaeFunctions.Registry;

/// <summary>Manifests and pointers as JSON. Reading is strict: unknown, repeated and missing keys are errors.</summary>
static partial class ManifestJson
{
    /// <summary>Writes a manifest, and its <see cref="Seal"/> first.</summary>
    public static BinaryData Write(Manifest manifest)
    {
        var document = JsonSerializer.SerializeToUtf8Bytes(manifest with { Seal = Seal.Open }, RegistryJson.Default.Manifest);
        Seal.Close(document);
        return BinaryData.FromBytes(document);
    }

    public static BinaryData Write(CurrentPointer pointer) =>
        BinaryData.FromBytes(JsonSerializer.SerializeToUtf8Bytes(pointer, RegistryJson.Default.CurrentPointer));

    /// <exception cref="ModelFormatException">It is not a manifest of this format, or says what cannot be; the message begins
    /// with <paramref name="path"/>.</exception>
    public static Manifest ReadManifest(BinaryData json, string path)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            // Asked before all else: a later format may have keys that would be unknown here.
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("format", out var format) || !format.TryGetInt32(out var number))
                throw new ModelFormatException($"{path}: no whole number \"format\" was found; is it a manifest?");
            if (number != Manifest.CurrentFormat)
                throw new ModelFormatException($"{path}: format {number} was found, but this build reads format "
                    + $"{Manifest.CurrentFormat}; update it, or publish the model again.");
            var manifest = JsonSerializer.Deserialize(json, RegistryJson.Default.Manifest)!;
            Validate(manifest, path);
            if (manifest.Seal is { } seal && !Seal.Holds(seal, json.ToMemory().Span))
                throw new ModelFormatException($"{path}: it is not what was published; its SHA-256 is another. Publish the model "
                    + "again, or roll back.");
            return manifest;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ModelFormatException($"{path}: this is not a manifest of format {Manifest.CurrentFormat}: {e.Message}", e);
        }
    }

    /// <exception cref="ModelFormatException">It is not a pointer.</exception>
    public static CurrentPointer ReadPointer(Blob blob, string path)
    {
        try
        {
            var pointer = JsonSerializer.Deserialize(blob.Content, RegistryJson.Default.CurrentPointer)
                ?? throw new ModelFormatException($"{path}: null was found; a pointer to a version was expected.");
            if (pointer.History.Contains(null!))
                throw new ModelFormatException($"{path}: the history holds null; versions were expected.");
            foreach (var version in (string[])[pointer.Version, .. pointer.History.Select(past => past.Version),
                .. pointer.RolledBack ?? []])
                if (version is null || !IsVersion(version))
                    throw new ModelFormatException($"{path}: \"{version}\" is not a version.");
            return pointer with { ETag = blob.ETag };
        }
        catch (JsonException e)
        {
            throw new ModelFormatException($"{path}: this is not a pointer to a version: {e.Message} Roll back to a named "
                + "version, or force a promotion, to replace it.", e);
        }
    }

    /// <exception cref="ModelFormatException">The manifest says what cannot be.</exception>
    public static void Validate(Manifest manifest, string path)
    {
        Require(ModelRegistry.IsModelName(manifest.Model), "model", manifest.Model, ModelRegistry.ModelNameRule);
        Require(IsVersion(manifest.Version),
            "version", manifest.Version, "letters, digits, '-', '.' and '_', not beginning with '.'");
        Require(manifest.Image is { Height: > 0 and <= 16384, Width: > 0 and <= 16384, Channels: > 0 and <= 4 },
            "image", manifest.Image, "1 to 16384 pixels a side, 1 to 4 channels");
        Require(manifest.LatentSize > 0, "latentSize", manifest.LatentSize, "at least 1");
        Require(manifest.Recipe.ValueKind == JsonValueKind.Object, "recipe", manifest.Recipe.ValueKind, "an object");
        Require(manifest.Data is { Train: >= 0, Test: >= 0 }, "data", manifest.Data, "counts that are not negative");
        Require(!manifest.Files.Contains(null!), "files", "null", "a name, a size and a hash for each");
        foreach (var file in manifest.Files)
        {
            Require(IsFileName(file.Name), "files.name", file.Name, "letters, digits, '-', '.' and '_', no slash, and not "
                + ModelRegistry.ManifestName);
            Require(file.Size >= 0, $"the size of {file.Name}", file.Size, "not negative");
            Require(Sha256().IsMatch(file.Sha256), $"the sha256 of {file.Name}", file.Sha256, "64 lower-case hexadecimal digits");
        }
        Require(manifest.Files.DistinctBy(file => file.Name).Count() == manifest.Files.Count,
            "files", "a name twice", "each name once");

        void Require(bool holds, string key, object? found, string expected)
        {
            if (!holds) throw new ModelFormatException($"{path}: {key} is \"{found}\"; expected: {expected}.");
        }
    }

    public static bool IsVersion(string name) => Name().IsMatch(name) && name != ModelRegistry.PointerName;

    public static bool IsFileName(string name) => Name().IsMatch(name) && name != ModelRegistry.ManifestName;

    [GeneratedRegex("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}\\z")]
    private static partial Regex Name();

    [GeneratedRegex("^[0-9a-f]{64}\\z")]
    private static partial Regex Sha256();
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    // a diverged run's metrics are NaN, and still worth keeping
    IgnoreReadOnlyProperties = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(CurrentPointer))]
sealed partial class RegistryJson : JsonSerializerContext;
