namespace VaeFunctions.LocalFunctions;

/// <summary>A schedule of six fields, as Azure's timers use it: second, minute, hour, day, month, day of the week (0 is Sunday).</summary>
/// <remarks>Each field is <c>*</c>, a number, a name (JAN, MON), a range <c>1-5</c>, any with a step <c>*/10</c>, or a list of these.
/// All fields must hold at once.</remarks>
sealed class Ncrontab
{
    static readonly (string Name, int Least, int Most)[] Fields =
        [("second", 0, 59), ("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("day of the week", 0, 6)];

    static readonly string[] Months = ["", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    static readonly string[] Days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

    readonly ulong[] allowed;

    /// <exception cref="FormatException">The text is no such schedule; the message says which field is wrong.</exception>
    public Ncrontab(string text)
    {
        var parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != Fields.Length)
            throw new FormatException($"\"{text}\" has {parts.Length} fields; a schedule has six: second minute hour day month day-of-week, such as \"0 30 3 * * *\".");
        allowed = [.. parts.Select((part, i) => part.Split(',').Aggregate(0UL, (bits, item) => bits | Parse(item, i)))];
    }

    /// <summary>The first time after <paramref name="time"/>, or null where there is none within eight years (a 30 February).</summary>
    public DateTime? Next(DateTime time)
    {
        var t = new DateTime(time.Year, time.Month, time.Day, time.Hour, time.Minute, time.Second, time.Kind).AddSeconds(1);
        for (var end = t.AddYears(8); t < end;)
        {
            if (!Has(4, t.Month))
                t = new DateTime(t.Year, t.Month, 1, 0, 0, 0, t.Kind).AddMonths(1);
            else if (!Has(3, t.Day) || !Has(5, (int)t.DayOfWeek))
                t = t.Date.AddDays(1);
            else if (!Has(2, t.Hour))
                t = t.Date.AddHours(t.Hour + 1);
            else if (!Has(1, t.Minute))
                t = t.AddSeconds(60 - t.Second);
            else if (!Has(0, t.Second))
                t = t.AddSeconds(1);
            else
                return t;
        }
        return null;
    }

    bool Has(int field, int value) => (allowed[field] >> value & 1) != 0;

    static ulong Parse(string item, int field)
    {
        var (name, least, most) = Fields[field];
        var (range, step) = item.Split('/') switch
        {
            [var whole] => (whole, 1),
            [var whole, var by] when int.TryParse(by, out var n) && n > 0 => (whole, n),
            _ => throw Wrong(),
        };
        var (from, to) = range.Split('-') switch
        {
            ["*"] => (least, most),
            [var one] => (Value(one), item.Contains('/') ? most : Value(one)),
            [var first, var last] => (Value(first), Value(last)),
            _ => throw Wrong(),
        };
        if (from > to)
            throw Wrong();
        var bits = 0UL;
        for (var value = from; value <= to; value += step)
            bits |= 1UL << value;
        return bits;

        int Value(string text)
        {
            var named = field switch { 4 => Array.IndexOf(Months, text.ToUpperInvariant()), 5 => Array.IndexOf(Days, text.ToUpperInvariant()), _ => -1 };
            var value = named > 0 || (named == 0 && field == 5) ? named : int.TryParse(text, out var number) ? number : -1;
            return value >= least && value <= most ? value : throw Wrong();
        }

        FormatException Wrong() => new($"\"{item}\" is no {name}: give {least} to {most}, a range a-b, * or a step such as */5.");
    }
}
