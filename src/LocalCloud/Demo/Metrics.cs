using System.Globalization;

namespace VaeFunctions.LocalCloud;

/// <summary>The trainer's metrics.csv: a header, then a row an epoch.</summary>
sealed record Metrics(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    public static Metrics Parse(string csv)
    {
        var lines = csv.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (lines.Length < 2)
            throw new LocalCloudException("metrics.csv has no epoch.");
        return new Metrics(lines[0].Split(','), [.. lines.Skip(1).Select(line => line.Split(','))]);
    }

    public double this[int row, string column] =>
        double.Parse(Rows[row][Index(column)], NumberStyles.Float, CultureInfo.InvariantCulture);

    public double Last(string column) => this[Rows.Count - 1, column];

    int Index(string column)
    {
        for (var i = 0; i < Columns.Count; i++)
        {
            if (Columns[i] == column)
                return i;
        }
        throw new LocalCloudException($"metrics.csv has no column {column}; it has {string.Join(", ", Columns)}.");
    }
}
