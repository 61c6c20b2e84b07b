namespace VaeFunctions.Evaluation;

/// <summary>An axis between round numbers. Where values span more than a power of ten it is logarithmic, so that a first epoch
/// does not press all others flat.</summary>
public sealed record ChartAxis(bool Logarithmic, IReadOnlyList<double> Ticks)
{
    const int Intervals = 4;
    const double FewestDecades = 1.2, MostLabelledDecades = 4;

    /// <summary>An axis on which all values have room.</summary>
    /// <param name="values">Finite, at least one.</param>
    public static ChartAxis Of(IReadOnlyCollection<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var (low, high) = (values.Min(), values.Max());
        return low > 0 && Math.Log10(high / low) >= FewestDecades ? ByDecades(low, high) : ByEqualSteps(low, high);
    }

    /// <summary>Where a value lies: 0 at the lowest tick, 1 at the highest.</summary>
    public double Place(double value) => (Scaled(value) - Scaled(Ticks[0])) / (Scaled(Ticks[^1]) - Scaled(Ticks[0]));

    double Scaled(double value) => Logarithmic ? Math.Log10(value) : value;

    static ChartAxis ByEqualSteps(double low, double high)
    {
        if (high - low <= Math.Abs(high) * 1e-9) high = low + Math.Max(Math.Abs(low) * 0.01, 1e-9);
        var step = RoundUp((high - low) / Intervals);
        var (first, last) = (Math.Floor(low / step + 1e-9), Math.Ceiling(high / step - 1e-9));
        return new(false, [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => (first + i) * step)]);
    }

    /// <summary>1, 2, 5, 10, 20 … or, where those are many, powers of ten.</summary>
    static ChartAxis ByDecades(double low, double high)
    {
        var (first, last) = ((int)Math.Floor(Math.Log10(low)), (int)Math.Ceiling(Math.Log10(high)));
        double[] parts = last - first > MostLabelledDecades ? [1] : [1, 2, 5];
        double[] all = [.. Enumerable.Range(first, last - first + 1)
            .SelectMany(decade => parts.Select(part => part * Math.Pow(10, decade)))];
        var (from, to) = (all.Last(tick => tick <= low * (1 + 1e-9)), all.First(tick => tick >= high * (1 - 1e-9)));
        return new(true, [.. all.Where(tick => tick >= from && tick <= to)]);
    }

    /// <summary>The next of 1, 2, 2.5, 5 and their multiples by ten.</summary>
    static double RoundUp(double step)
    {
        var decade = Math.Pow(10, Math.Floor(Math.Log10(step)));
        return ((double[])[1, 2, 2.5, 5, 10]).First(part => part * decade >= step * (1 - 1e-9)) * decade;
    }
}
