using System.Globalization;

namespace VaeFunctions.Registry;

/// <summary>Names of versions and runs: the time in UTC, such as 20260102T030405Z, so that they sort by age.</summary>
public static class TimeName
{
    const string Format = "yyyyMMdd'T'HHmmss'Z'";
    const int Length = 16;

    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>The time as a name, or the next after the last of some others where that is not earlier: within one second, or
    /// when a clock was set back, -02, -03 and so on.</summary>
    public static string After(DateTimeOffset now, IEnumerable<string> others)
    {
        var name = Of(now);
        var last = others.Where(Is).Max(StringComparer.Ordinal);
        if (last is null || string.CompareOrdinal(name, last) > 0 || !TryParse(last, out var time, out var repeat)) return name;
        return repeat < 99 ? $"{Of(time)}-{repeat + 1:00}" : Of(time.AddSeconds(1));
    }

    /// <summary>Whether a name is such a one.</summary>
    public static bool Is(string name) => TryParse(name, out _, out _);

    static bool TryParse(string name, out DateTimeOffset time, out int repeat)
    {
        (time, repeat) = (default, 1);
        return name.Length is Length or Length + 3
            && DateTimeOffset.TryParseExact(name[..Length], Format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal,
                out time)
            && time.Year < 9999
            && (name.Length == Length || (name[Length] == '-'
                && int.TryParse(name[(Length + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out repeat)));
    }
}
