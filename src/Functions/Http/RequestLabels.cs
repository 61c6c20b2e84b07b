using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace VaeFunctions.Serving;

/// <summary>The labels that a request gives to a conditional model.</summary>
static class RequestLabels
{
    /// <summary>What an index is asked for with: <c>index:2</c> is the third label, whatever it is called.</summary>
    const string IndexPrefix = "index:";

    /// <summary>A label for each of some images or latents; null where the model takes none.</summary>
    /// <exception cref="RequestException">400: a label is missing, unknown or of no use, or their number does not
    /// fit.</exception>
    public static long[]? Labels(this RequestContent content, ModelSession session, int count) =>
        content.Labels(Field.Label, session, count);

    /// <summary>The same of another field.</summary>
    public static long[]? Labels(this RequestContent content, Field field, ModelSession session, int count)
    {
        if (!session.Conditional)
        {
            return content.Has(field)
                ? throw RequestException.Invalid(
                    $"A label, {RequestContent.Shortened(content.Text(field) ?? "null")}, was given, "
                        + $"but model {session.Model} is not conditional on labels; leave it out.")
                : null;
        }
        return content[field] switch
        {
            null => throw RequestException.Invalid(
                $"Model {session.Model} is conditional on labels, but none was given; {session.LabelHint}"),
            JsonArray array => ForAll(array.Count, array),
            JsonValue value when value.TryGetValue<string>(out var text) && Names.Find(session.Labels, text) < 0 =>
                ForAll(text.AsSpan().Count(',') + 1, text.Split(',', count + 1).Select(part => JsonValue.Create(part))),
            var one => ForAll(1, [one]),
        };

        long[] ForAll(int found, IEnumerable<JsonNode?> given)
        {
            // Counted before any is looked up: a body may hold millions.
            if (found != 1 && found != count)
                throw RequestException.Invalid(
                    $"There are {Plural.Of(found, "label")} for {Plural.Of(count, "image")}; give one for all, or one for each.");
            long[] labels = [.. given.Select(session.Label)];
            return labels.Length == count ? labels : [.. Enumerable.Repeat(labels[0], count)];
        }
    }

    /// <summary>The same, but one label after the other where none is given.</summary>
    public static long[]? LabelsOrAll(this RequestContent content, ModelSession session, int count) =>
        session.Conditional && !content.Has(Field.Label)
            ? [.. Enumerable.Range(0, count).Select(i => (long)i % session.Labels.Count)]
            : content.Labels(session, count);

    /// <summary>A label's number, from its name. A number that no label is called is an index only where it is asked for as one:
    /// by <c>index:2</c>, or as a JSON number where no label is called like a number.</summary>
    /// <exception cref="RequestException">400: there is no such label, or several look like it.</exception>
    public static long Label(this ModelSession session, JsonNode? node)
    {
        var text = node?.ToString() ?? "null";
        if (Names.Find(session.Labels, text) is >= 0 and var place)
            return place;
        var index = text.Trim().StartsWith(IndexPrefix, StringComparison.Ordinal) ? text.Trim()[IndexPrefix.Length..]
            : node?.GetValueKind() == JsonValueKind.Number && !session.Labels.Any(IsNumber) ? text
            : null;
        return int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number < session.Labels.Count
            ? number
            : throw session.NoLabel(text);
    }

    /// <summary>A label's number, from its name alone.</summary>
    /// <exception cref="RequestException">400: there is no label of that name, or several look like it.</exception>
    public static long LabelNamed(this ModelSession session, string name) =>
        Names.Find(session.Labels, name) is >= 0 and var place ? place : throw session.NoLabel(name);

    static bool IsNumber(string name) => long.TryParse(name, NumberStyles.Integer, CultureInfo.InvariantCulture, out _);

    static RequestException NoLabel(this ModelSession session, string text) => RequestException.Invalid(
        Names.Alike(session.Labels, text).ToArray() is [var one, var other, ..]
            ? $"\"{RequestContent.Shortened(text)}\" could be the label \"{one}\" or \"{other}\", which differ "
                + $"{Names.Difference(one, other)}; write the one that is meant as it stands here."
            : $"There is no label \"{RequestContent.Shortened(text)}\"; {session.LabelHint}");
}
