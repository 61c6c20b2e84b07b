using System.Globalization;
using System.Text;
using VaeFunctions.Training;

namespace VaeFunctions.Evaluation;

/// <summary>Loss curves as SVG, for a page that needs nothing else.</summary>
public static class EpochChart
{
    const int Width = 640, Height = 240, Left = 56, Bottom = 28, Margin = 12;

    /// <param name="curves">A name, a CSS class and a value for each epoch.</param>
    public static string Draw(
        string title, IReadOnlyList<EpochMetrics> history,
        params (string Name, string Style, Func<EpochMetrics, double> Value)[] curves)
    {
        double[] values = [.. history.SelectMany(metrics => curves.Select(curve => curve.Value(metrics))).Where(double.IsFinite)];
        if (values.Length == 0) return "";
        double low = values.Min(), high = Math.Max(values.Max(), low + Math.Abs(low) * 1e-3 + 1e-9);
        int first = history[0].Epoch, last = Math.Max(history[^1].Epoch, first + 1);

        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<figure><figcaption>{title}</figcaption><svg viewBox=\"0 0 {Width} {Height}\" "
            + $"role=\"img\" aria-label=\"{title}\">");
        for (var line = 0; line <= 4; line++)
        {
            var value = low + (high - low) * line / 4;
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Margin}\" y1=\""
                + $"{Y(value):F1}\" y2=\"{Y(value):F1}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 6}\" y=\"{Y(value) + 4:F1}\" text-anchor=\"end\">"
                + $"{value:G4}</text>");
        }
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"{Height - 6}\">epoch {first}</text><text x=\""
            + $"{Width - Margin}\" y=\"{Height - 6}\" text-anchor=\"end\">{last}</text>");
        foreach (var (index, curve) in curves.Index())
        {
            var points = string.Join(' ', history.Where(metrics => double.IsFinite(curve.Value(metrics)))
                .Select(metrics =>
                    string.Create(CultureInfo.InvariantCulture, $"{X(metrics.Epoch):F1},{Y(curve.Value(metrics)):F1}")));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline class=\"{curve.Style}\" points=\"{points}\"/>");
            if (history.Count == 1)
                svg.Append(CultureInfo.InvariantCulture, $"<circle class=\"{curve.Style}\" r=\"4\" cx=\"{X(first):F1}\" cy=\""
                    + $"{Y(curve.Value(history[0])):F1}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text class=\"{curve.Style}\" x=\"{Width - Margin}\" y=\""
                + $"{Margin + 14 * (index + 1)}\" text-anchor=\"end\">{curve.Name}</text>");
        }
        return svg.Append("</svg></figure>").ToString();

        double X(int epoch) => Left + (Width - Left - Margin) * (epoch - first) / (double)(last - first);

        double Y(double value) => Height - Bottom - (Height - Bottom - Margin) * (value - low) / (high - low);
    }
}
