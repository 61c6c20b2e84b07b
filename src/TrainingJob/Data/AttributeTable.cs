using System.Globalization;
using System.Text;

namespace VaeFunctions.Data;

/// <summary><c>attributes.csv</c> beside the images: a line each, its file first, then numbers, or 0 and 1 (no, yes).</summary>
sealed class AttributeTable
{
    public const string FileName = "attributes.csv";

    /// <summary>Columns beyond which none is read, and bytes.</summary>
    const int MostColumns = 200;

    public const long MaxBytes = 64 << 20;

    static readonly Dictionary<string, float> Words = new(StringComparer.OrdinalIgnoreCase)
    {
        ["yes"] = 1,
        ["true"] = 1,
        ["no"] = 0,
        ["false"] = 0,
    };

    readonly ILookup<string, (string Path, float[] Values)> rows; // by the file's own name

    AttributeTable(string[] names, IEnumerable<(string Path, float[] Values)> rows)
    {
        Names = names;
        this.rows = rows.ToLookup(row => FileOf(row.Path), StringComparer.Ordinal);
    }

    public IReadOnlyList<string> Names { get; }

    public static bool IsName(string path) => path.Equals(FileName, StringComparison.OrdinalIgnoreCase);

    /// <exception cref="DataException">It is no table, or has no column of numbers.</exception>
    public static AttributeTable Parse(string source, string text, Action<string>? log)
    {
        var start = $"{source}: {FileName}";
        const string form =
            "Its first line names the columns, file,smile,age for instance, and every other is like cat/1.jpg,1,35.";
        var separator = text.AsSpan(0, Math.Max(text.IndexOf('\n'), 0)) is var first && first.Contains('\t') ? '\t'
            : first.Contains(';') && !first.Contains(',') ? ';' : ',';
        var lines = Lines(text, separator).ToList();
        if (lines.Count < 2 || lines[0].Count < 2)
            throw new DataException($"{start} has {Plural.Of(lines.Count, "line")}"
                + (lines.Count > 0 ? $" of {Plural.Of(lines[0].Count, "column")}" : "")
                + $"; a line for each image was expected. {form}");
        if (lines[0].Count > MostColumns)
            throw new DataException($"{start} has {lines[0].Count} columns; at most {MostColumns} are read. Leave some out.");
        var odd = lines.FindIndex(line => line.Count != lines[0].Count);
        if (odd > 0)
            throw new DataException(
                $"{start}: line {odd + 1} has {Plural.Of(lines[odd].Count, "column")}, the first {lines[0].Count}. {form}");

        var (names, columns) = (new List<string>(), new List<int>());
        for (var column = 1; column < lines[0].Count; column++)
        {
            var name = lines[0][column].Trim() is { Length: > 0 } given ? given : $"column {column + 1}";
            var word = lines.Skip(1).Select(line => line[column].Trim()).FirstOrDefault(cell => Number(cell) is null);
            if (word is not null)
                log?.Invoke($"{start}: the column {name} is left out, since it holds \"{Shortened(word)}\"; "
                    + "attributes are numbers, 0 or 1, yes or no. "
                    + "For words, make a column of 0 and 1 for each, or a folder for each as its label");
            else if (names.Contains(name))
                throw new DataException($"{start} names the column {name} twice. Give each a name of its own.");
            else
                (names, columns) = ([.. names, name], [.. columns, column]);
        }
        if (names.Count == 0) throw new DataException($"{start} has no column of numbers. {form}");
        return new([.. names], lines.Skip(1).Select(line => (
            line[0].Trim().Replace('\\', '/').TrimStart('/'),
            columns.Select(column => Number(line[column].Trim())!.Value).ToArray())));
    }

    /// <summary>[image, attribute], NaN where the table is silent; says which lines and images do not belong together.</summary>
    /// <param name="files">The images' paths below the place of the table.</param>
    /// <exception cref="DataException">The table speaks of none of the images.</exception>
    public float[,] For(string source, IReadOnlyList<string> files, Action<string>? log)
    {
        var values = new float[files.Count, Names.Count];
        var (unknown, used) = (new List<string>(), new HashSet<string>());
        foreach (var (i, file) in files.Index())
        {
            var row = rows[FileOf(file)]
                .Where(row => Belongs(row.Path, file))
                .OrderByDescending(row => row.Path.Length)
                .FirstOrDefault();
            if (row.Path is null) unknown.Add(file);
            else used.Add(row.Path);
            for (var a = 0; a < Names.Count; a++) values[i, a] = row.Values?[a] ?? float.NaN;
        }
        if (used.Count == 0)
            throw new DataException($"{source}: {FileName} has no line for any of the {files.Count:N0} images, "
                + $"such as {files[0]}. Its first column gives their paths beside it, or their names.");
        var idle = rows.SelectMany(row => row).Select(row => row.Path).Where(path => !used.Contains(path)).ToList();
        if (idle.Count > 0)
            log?.Invoke($"{source}: {Plural.Of(idle.Count, "line")} of {FileName} {(idle.Count == 1 ? "is" : "are")} of no image "
                + $"here, such as {Shortened(idle[0])}");
        if (unknown.Count > 0)
            log?.Invoke($"{source}: {unknown.Count:N0} of {Plural.Of(files.Count, "image")} "
                + $"{(unknown.Count == 1 ? "has" : "have")} "
                + $"no line in {FileName}, such as {unknown[0]}; {(unknown.Count == 1 ? "its" : "their")} attributes count as "
                + "unknown");
        log?.Invoke($"{source}: {FileName} gives {Plural.Of(Names.Count, "attribute")}: {string.Join(", ", Names.Take(20))}");
        return values;
    }

    /// <summary>Whether one path is the other, or its end.</summary>
    static bool Belongs(string row, string file)
    {
        var (left, right) = ("/" + VaeFunctions.Names.Key(row), "/" + VaeFunctions.Names.Key(file));
        return left.EndsWith(right, StringComparison.Ordinal) || right.EndsWith(left, StringComparison.Ordinal);
    }

    static string FileOf(string path) => VaeFunctions.Names.Key(path[(path.LastIndexOf('/') + 1)..]);

    /// <summary>NaN for an empty cell, null for a word.</summary>
    static float? Number(string cell) =>
        cell.Length == 0 ? float.NaN
        : float.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && float.IsFinite(number)
            ? number
        : Words.TryGetValue(cell, out number) ? number
        : null;

    static string Shortened(string text) => text.Length > 40 ? text[..40] + "…" : text;

    /// <summary>The cells of each line that is not empty; quoted ones may hold separators, line ends and doubled quotes. (RFC
    /// 4180)</summary>
    static IEnumerable<List<string>> Lines(string text, char separator)
    {
        var (line, cell, quoted) = (new List<string>(), new StringBuilder(), false);
        for (var i = text.StartsWith('\uFEFF') ? 1 : 0; i <= text.Length; i++)
        {
            var letter = i < text.Length ? text[i] : '\n';
            if (quoted && i < text.Length)
            {
                if (letter != '"') cell.Append(letter);
                else if (i + 1 < text.Length && text[i + 1] == '"') cell.Append(text[++i]);
                else quoted = false;
            }
            else if (letter == '"')
            {
                quoted = true;
            }
            else if (letter == separator || letter == '\n')
            {
                line.Add(cell.ToString().TrimEnd('\r'));
                cell.Clear();
                if (letter == separator) continue;
                if (line.Count > 1 || line[0].Length > 0) yield return line;
                line = [];
            }
            else
            {
                cell.Append(letter);
            }
        }
    }
}
