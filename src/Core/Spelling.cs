using System.Text.RegularExpressions;

namespace VaeFunctions;

/// <summary>Finds what someone probably meant, and says it without .NET's names.</summary>
public static partial class Spelling
{
    /// <summary>The known word that is nearest to one that is not known.</summary>
    /// <param name="known">At least one.</param>
    public static string Nearest(string word, IEnumerable<string> known) => known.MinBy(name => Distance(word, name))!;

    /// <summary>What a command line's reader says of a wrong word: which type an option has, or, of one that it does not know,
    /// the nearest option, where one of every three letters is wrong, at most.</summary>
    public static string Suggest(string message, IEnumerable<string> unknown, IEnumerable<string> options)
    {
        if (WrongType().Match(message) is { Success: true } match)
            return $"{match.Groups["option"].Value} is {match.Groups["value"].Value}; give "
                + $"{TypeInWords(match.Groups["type"].Value)}.";
        return unknown.FirstOrDefault(
            word => word.StartsWith('-') && message.Contains($"'{word}'", StringComparison.Ordinal)) is { } misspelt
            && options.Append("--help").MinBy(option => Distance(misspelt, option)) is { } option
                && Distance(misspelt, option) * 3 <= misspelt.Length
            ? $"{message} Did you mean {option}?"
            : message;
    }

    /// <summary>What a value of a type looks like: <c>a whole number</c> for System.Nullable`1[System.Int32].</summary>
    public static string TypeInWords(string type) =>
        Numbers().Match(type) is not { Success: true } number ? $"a {type.Split('.')[^1].TrimEnd(']')}"
        : number.Groups["whole"].Success ? "a whole number" : "a number";

    [GeneratedRegex("Cannot parse argument '(?<value>.*)' for option '(?<option>[^']*)' as expected type '(?<type>[^']*)'")]
    private static partial Regex WrongType();

    [GeneratedRegex(@"System\.((?<whole>U?Int(16|32|64)|Byte)|Single|Double)\b")]
    private static partial Regex Numbers();

    /// <summary>The least number of letters put in, left out or exchanged that makes one word of the other. (Levenshtein
    /// 1966)</summary>
    static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
                (row[j], diagonal) = (Math.Min(Math.Min(row[j], row[j - 1]) + 1,
                    diagonal + (char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]) ? 0 : 1)), row[j]);
        }
        return row[^1];
    }
}
