using System.Globalization;
using System.Text.Json.Nodes;

namespace VaeFunctions.Serving;

/// <summary>The named values of a request, checked against the fields that a function knows. Unknown names are refused.</summary>
/// <remarks>A file of a form is the value of the field that it is named after, or is asked for as <c>part:NAME</c>.</remarks>
/// <param name="maxImages">The most images that a field may hold.</param>
public sealed class RequestContent(Field[] known, int maxImages)
{
    /// <summary>What a text begins with that stands for a file of the form.</summary>
    public const string PartPrefix = "part:";

    readonly Dictionary<string, JsonNode?> values = new(StringComparer.Ordinal);
    readonly Dictionary<string, byte[]> parts = new(StringComparer.Ordinal);

    /// <summary>The fields that the request may hold.</summary>
    public Field[] Known => known;

    /// <summary>Whether a field is given, be it as null.</summary>
    public bool Has(Field field) => values.ContainsKey(field.Name);

    /// <summary>A field's value as it came; null where it is not given.</summary>
    public JsonNode? this[Field field] => values.GetValueOrDefault(field.Name);

    /// <summary>A file of the form, or null.</summary>
    public byte[]? Part(string name) => parts.GetValueOrDefault(name);

    /// <summary>A whole number, or null where it is not given.</summary>
    public long? Whole(Field field)
    {
        if (Text(field) is not { } text)
            return null;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            && field.Allows(value)
            ? value
            : throw Wrong(field, Shortened(text));
    }

    /// <summary>A whole number, or the default where it is not given.</summary>
    public int Whole(Field field, int otherwise) => (int)(Whole(field) ?? otherwise);

    /// <summary>A number, or the default where it is not given.</summary>
    public double Number(Field field, double otherwise)
    {
        if (Text(field) is not { } text)
            return otherwise;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && field.Allows(value)
            ? value
            : throw Wrong(field, Shortened(text));
    }

    /// <summary>One of a field's words; the first where it is not given.</summary>
    public string Choice(Field field)
    {
        var text = Text(field) ?? field.Choices[0];
        return field.Choices.Contains(text) ? text : throw Wrong(field, Shortened(text));
    }

    /// <summary>A few numbers, or null where they are not given.</summary>
    public float[]? Numbers(Field field, int most)
    {
        if (this[field] is not { } node)
            return null;
        if (node is not JsonArray { Count: > 0 } array || array.Count > most)
            throw Wrong(field, $"{Shortened(node)}, with at most {most}");
        return [.. array.Select((item, i) => JsonNumbers.TryFloat(item, out var value) && field.Allows(value)
            ? value
            : throw Wrong(field, $"{Shortened(item)} at place {i}"))];
    }

    /// <summary>The seed that was given, or one drawn now.</summary>
    public long SeedOrRandom() => Whole(Field.Seed) ?? Random.Shared.NextInt64(int.MaxValue);

    /// <summary>A field's value as a text; null where it is not given.</summary>
    public string? Text(Field field) => this[field] switch
    {
        null => null,
        JsonValue value => value.ToString(),
        var other => other.ToJsonString(),
    };

    /// <summary>400: a field's value is not what it may be.</summary>
    public static RequestException Wrong(Field field, string found) =>
        RequestException.Invalid($"{field.Name} is {found}; give {Sentence(field.Expected)}");

    /// <summary>400: a field that is needed is not given.</summary>
    public static RequestException Missing(Field field) =>
        RequestException.Invalid($"\"{field.Name}\" is missing; give {Sentence(field.Description)}");

    /// <summary>400: a field is given more than once.</summary>
    public static RequestException Twice(string name) =>
        RequestException.Invalid($"\"{Shortened(name)}\" is given more than once; give it once, in the query or in the body.");

    /// <summary>As much of a text as a message quotes.</summary>
    public static string Shortened(string text) => text.Length <= 40 ? text : text[..40] + "…";

    /// <summary>As much of a value's JSON as a message quotes.</summary>
    public static string Shortened(JsonNode? node) => Shortened(node?.ToJsonString() ?? "null");

    /// <summary>Checks how many images a field has.</summary>
    /// <exception cref="RequestException">413: there are more.</exception>
    public void CheckImages(int count)
    {
        if (count > maxImages)
            throw new RequestException(StatusCodes.Status413PayloadTooLarge,
                $"There are {Plural.Of(count, "image")}; send at most {maxImages} a request.");
    }

    /// <summary>The fields' names in a row, for messages.</summary>
    public static string NamesOf(IEnumerable<Field> fields) => string.Join(", ", fields.Select(field => field.Name));

    /// <exception cref="RequestException">400: no field has the name, or it was given before.</exception>
    public void Add(string name, JsonNode? value)
    {
        if (known.All(field => field.Name != name))
            throw RequestException.Invalid(
                $"\"{Shortened(name)}\" is not known here; there is {(known is [] ? "nothing to give" : NamesOf(known))}.");
        if (!values.TryAdd(name, value))
            throw Twice(name);
    }

    /// <summary>Adds a file, which is the value, or one more of the values, of the field that has its name.</summary>
    /// <exception cref="RequestException">400: there is a file of that name, and it stands for one value. 413: there are more
    /// values than the limit.</exception>
    public void AddFile(string name, byte[] file)
    {
        var field = known.FirstOrDefault(field => field.Name == name);
        var isList = field is { Type: FieldType.Images or FieldType.Points };
        var part = isList ? $"{name}[{parts.Count}]" : name;
        if (!parts.TryAdd(part, file))
            throw Twice(name);
        if (isList && values.GetValueOrDefault(name) is JsonArray list)
        {
            CheckImages(list.Count + 1);
            list.Add(PartPrefix + part);
        }
        else if (isList)
            Add(name, new JsonArray(PartPrefix + part));
        else if (field is not null)
            Add(name, JsonValue.Create(PartPrefix + part));
    }

    /// <exception cref="RequestException">400: a file is not asked for by any field.</exception>
    public void CheckFiles()
    {
        HashSet<string> asked = [.. values.Values.SelectMany(TextsOf)];
        if (parts.Keys.FirstOrDefault(name => !asked.Contains(PartPrefix + name)) is { } idle)
        {
            throw RequestException.Invalid(
                $"The form's file \"{Shortened(idle)}\" is not asked for; name it after a field ({NamesOf(known)}) "
                + $"or mention {PartPrefix}{Shortened(idle)} in one.");
        }
    }

    static IEnumerable<string> TextsOf(JsonNode? node) => node switch
    {
        JsonObject fields => fields.SelectMany(field => TextsOf(field.Value)),
        JsonArray items => items.SelectMany(TextsOf),
        JsonValue value when value.TryGetValue<string>(out var text) => [text],
        _ => [],
    };

    /// <summary>The end of a sentence, from a text of its own.</summary>
    static string Sentence(string text) => $"{char.ToLowerInvariant(text[0])}{text[1..].TrimEnd('.')}.";
}
