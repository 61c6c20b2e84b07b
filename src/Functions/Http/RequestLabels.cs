using System.Globalization;
using System.Text.Json.Nodes;

namespace VaeFunctions.Serving;

/// <summary>The labels that a request gives to a conditional model.</summary>
static class RequestLabels
{
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
                    $"A label, {RequestContent.Shortened(content.Text(field) ?? "null")}, was given, but model {session.Model} is not conditional on labels; leave "
                        + "it out.")
                : null;
        }
        string[] given = content[field] switch
        {
            null => throw RequestException.Invalid(
                $"Model {session.Model} is conditional on labels, but none was given; {session.LabelHint}"),
            JsonArray array => [.. array.Select(item => item?.ToString() ?? "null")],
            var one => one.ToString().Split(',', StringSplitOptions.TrimEntries),
        };
        if (given.Length != 1 && given.Length != count)
            throw RequestException.Invalid(
                $"There are {given.Length} labels for {count} images; give one for all, or one for each.");
        long[] labels = [.. given.Select(session.Label)];
        return labels.Length == count ? labels : [.. Enumerable.Repeat(labels[0], count)];
    }

    /// <summary>The same, but one label after the other where none is given.</summary>
    public static long[]? LabelsOrAll(this RequestContent content, ModelSession session, int count) =>
        session.Conditional && !content.Has(Field.Label)
            ? [.. Enumerable.Range(0, count).Select(i => (long)i % session.Labels.Count)]
            : content.Labels(session, count);

    /// <summary>A label's number, from its name or number.</summary>
    /// <exception cref="RequestException">400: there is no such label.</exception>
    public static long Label(this ModelSession session, string text)
    {
        for (var i = 0; i < session.Labels.Count; i++)
            if (session.Labels[i] == text)
                return i;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number < session.Labels.Count
            ? number
            : throw RequestException.Invalid($"There is no label \"{RequestContent.Shortened(text)}\"; {session.LabelHint}");
    }
}
