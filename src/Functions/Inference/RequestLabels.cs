using System.Globalization;

namespace VaeFunctions.Serving;

/// <summary>The labels that a request gives to a conditional model, by name or number.</summary>
static class RequestLabels
{
    /// <summary>A label for each of a number of images, or null for a model that takes none.</summary>
    /// <param name="text">One for all, or as many as images, separated by commas; null where none was given.</param>
    /// <param name="inTurn">Whether labels take turns where none was given; otherwise one must be.</param>
    /// <exception cref="RequestException">400: there is a label for a model that takes none, none for one that does, or no such label.</exception>
    public static long[]? For(ModelSession session, string? text, int count, bool inTurn = false)
    {
        if (session.Labels is not { } known)
        {
            return text is null
                ? null
                : throw RequestException.Invalid($"A label, {text}, was given, but model {session.Model} is not conditional on labels; leave it out.");
        }
        if (text is null)
        {
            return inTurn
                ? [.. Enumerable.Range(0, count).Select(i => (long)(i % known.Count))]
                : throw RequestException.Invalid($"Model {session.Model} is conditional on labels, but none was given; {Hint(known)}");
        }
        long[] labels = [.. text.Split(',', StringSplitOptions.TrimEntries).Select(label => Number(label, known))];
        if (labels.Length != 1 && labels.Length != count)
            throw RequestException.Invalid($"There are {labels.Length} labels for {count} images; give one for all, or one for each.");
        return labels.Length == count ? labels : [.. Enumerable.Repeat(labels[0], count)];
    }

    static long Number(string label, IReadOnlyList<string> known)
    {
        var index = known.ToList().IndexOf(label);
        if (index >= 0) return index;
        return int.TryParse(label, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < known.Count
            ? number
            : throw RequestException.Invalid($"There is no label \"{(label.Length <= 40 ? label : label[..40] + "…")}\"; {Hint(known)}");
    }

    static string Hint(IReadOnlyList<string> known) =>
        $"give one from 0 to {known.Count - 1}, or by name: {string.Join(", ", known.Take(20))}{(known.Count > 20 ? ", …" : "")}.";
}
