namespace VaeFunctions;

/// <summary>Finds what someone probably meant.</summary>
public static class Spelling
{
    /// <summary>The known word that is nearest to one that is not known.</summary>
    /// <param name="known">At least one.</param>
    public static string Nearest(string word, IEnumerable<string> known) => known.MinBy(name => Distance(word, name))!;

    /// <summary>What a command line's reader says of words it does not know, with the nearest option behind it where a word is one misspelt:
    /// one of every three letters wrong, at most.</summary>
    public static string Suggest(string message, IEnumerable<string> unknown, IEnumerable<string> options) =>
        unknown.FirstOrDefault(word => word.StartsWith('-') && message.Contains($"'{word}'", StringComparison.Ordinal)) is { } misspelt
        && options.Append("--help").MinBy(option => Distance(misspelt, option)) is { } option && Distance(misspelt, option) * 3 <= misspelt.Length
            ? $"{message} Did you mean {option}?"
            : message;

    /// <summary>The least number of letters put in, left out or exchanged that makes one word of the other. (Levenshtein 1966)</summary>
    static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
                (row[j], diagonal) = (Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]) ? 0 : 1)), row[j]);
        }
        return row[^1];
    }
}
