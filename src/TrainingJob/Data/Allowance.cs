using System.Globalization;

namespace VaeFunctions.Data;

/// <summary>How many of many things may be wrong before the whole is refused: a number, or a part, whichever is more.</summary>
public readonly record struct Allowance(int Count, double Part)
{
    /// <summary>One image in a hundred, and 20 of fewer than 2,000.</summary>
    public static Allowance Usual => new(20, 0.01);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Count} or {100 * Part:0.##}%");

    /// <summary>The most that may be wrong of so many; one at least must be right.</summary>
    public int Of(int all) => Math.Min(Math.Max(Count, (int)(Part * all)), all - 1);

    /// <summary>Reads <c>20</c> or <c>1%</c>; null where it is neither.</summary>
    public static Allowance? TryParse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.EndsWith('%'))
            return double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent)
                && percent is >= 0 and <= 100
                ? new(0, percent / 100)
                : null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? new(count, 0) : null;
    }
}
