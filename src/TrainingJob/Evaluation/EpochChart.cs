using System.Globalization;
using System.Text;
using VaeFunctions.Training;

namespace VaeFunctions.Evaluation;

/// <summary>Curves over epochs as SVG, for a page that needs nothing else.</summary>
public static class EpochChart
{
    const int Width = 420, Height = 240, Left = 56, Right = 66, Bottom = 40, Top = 12, LineHeight = 15, MostEpochTicks = 6;

    /// <param name="title">What is drawn, as HTML.</param>
    /// <param name="words">What that means, as HTML.</param>
    /// <param name="curves">A name, a CSS class and a value for each epoch.</param>
    public static string Draw(
        string title, string words, IReadOnlyList<EpochMetrics> history,
        params (string Name, string Style, Func<EpochMetrics, double> Value)[] curves)
    {
        double[] values = [.. history.SelectMany(metrics => curves.Select(curve => curve.Value(metrics))).Where(double.IsFinite)];
        if (values.Length == 0) return "";
        var axis = ChartAxis.Of(values);
        int first = history[0].Epoch, last = history[^1].Epoch;

        var svg = new StringBuilder();
        Add($"<figure><figcaption><b>{title}</b> {words}{(axis.Logarithmic ? " The axis is logarithmic." : "")}</figcaption>");
        Add($"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{title}\">");
        foreach (var tick in axis.Ticks)
        {
            Add($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(tick):F1}\" y2=\"{Y(tick):F1}\"/>");
            Add($"<text x=\"{Left - 8}\" y=\"{Y(tick) + 4:F1}\" text-anchor=\"end\">{tick:#,0.#####}</text>");
        }
        var step = Math.Max(1, (int)Math.Ceiling((last - first + 1) / (double)MostEpochTicks));
        for (var epoch = first; epoch <= last; epoch += step)
            Add($"<text x=\"{X(epoch):F1}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{epoch}</text>");
        Add($"<text x=\"{Width - Right}\" y=\"{Height - 4}\" text-anchor=\"end\">epoch</text>");
        // Names stand at the ends of their curves, and never on each other.
        var height = double.NegativeInfinity;
        foreach (var curve in curves.Where(curve => history.Any(metrics => double.IsFinite(curve.Value(metrics))))
            .OrderBy(curve => Y(End(curve.Value))))
        {
            var points = history.Where(metrics => double.IsFinite(curve.Value(metrics))).ToArray();
            var line = points.Select(metrics =>
                FormattableString.Invariant($"{X(metrics.Epoch):F1},{Y(curve.Value(metrics)):F1}"));
            Add($"<polyline class=\"{curve.Style}\" points=\"{string.Join(' ', line)}\"/>");
            Add($"<circle class=\"{curve.Style}\" r=\"3.5\" cx=\"{X(points[^1].Epoch):F1}\" cy=\"{Y(End(curve.Value)):F1}\"/>");
            height = Math.Max(Y(End(curve.Value)) + 4, height + LineHeight);
            Add($"<text class=\"{curve.Style}\" x=\"{Width - Right + 10}\" y=\"{height:F1}\">{curve.Name}</text>");
        }
        return svg.Append("</svg></figure>").ToString();

        void Add(FormattableString part) => svg.Append(part.ToString(CultureInfo.InvariantCulture));

        double End(Func<EpochMetrics, double> value) => history.Select(value).Last(double.IsFinite);

        double X(int epoch) =>
            Left + (Width - Left - Right) * (last == first ? 0.5 : (epoch - first) / (double)(last - first));

        double Y(double value) => Height - Bottom - (Height - Bottom - Top) * axis.Place(value);
    }
}
