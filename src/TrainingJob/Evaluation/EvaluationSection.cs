using System.Globalization;
using System.Net;
using System.Text;

namespace VaeFunctions.Evaluation;

/// <summary>The report's part about what was measured after training.</summary>
public static class EvaluationSection
{
    const int Width = 1000, Height = 220, Left = 56, Bottom = 8, Top = 12;

    /// <summary>So high is the bar of a latent that tells next to nothing: it can be seen to be there.</summary>
    const int Least = 3;

    public static string Write(ModelEvaluation evaluation)
    {
        var page = new StringBuilder("<h2>What was measured</h2>");
        if (evaluation.KlPerLatent.Count > 0) page.Append(Bars(evaluation.KlPerLatent, evaluation.InUse));
        page.Append("<div class=\"scroll\"><table class=\"measures\">");
        foreach (var (name, value) in evaluation.Metrics.OrderBy(metric => metric.Key, StringComparer.Ordinal))
            page.Append(CultureInfo.InvariantCulture, $"<tr><th>{MetricWords.Title(name)}<small>{name}</small></th>"
                + $"<td>{Number(value)}</td><td>{MetricWords.Words(name)}</td></tr>");
        var tests = evaluation.Metrics["test_images"];
        foreach (var (part, error) in KnownQuantiles(evaluation))
            page.Append(CultureInfo.InvariantCulture, $"<tr><th>reconstruction error, quantile {part}</th><td>{error:G4}</td><td>"
                + $"{part} of the {tests:N0} test images come back with a smaller one.</td></tr>");
        page.Append("</table></div>");
        if (evaluation.Attributes.Count == 0) return page.ToString();

        page.Append("<h3>What latents know of the attributes</h3>"
            + "<p>For each attribute, the latent that says most about it, and how much of it that says: 1 is all. "
            + "A large gap to the second best means that the attribute has a latent of its own.</p>"
            + "<div class=\"scroll\"><table><tr><th>attribute</th>"
            + "<th>latent</th><th>says</th><th>second best</th><th>gap</th></tr>");
        foreach (var attribute in evaluation.Attributes)
        {
            page.Append(CultureInfo.InvariantCulture,
                $"<tr><td>{WebUtility.HtmlEncode(attribute.Name)}</td><td>{attribute.Latent}</td><td>{attribute.Best:F3}</td><td>"
                + $"{attribute.Second:F3}</td><td>{attribute.Gap:F3}</td></tr>");
        }
        return page.Append("</table></div>").ToString();
    }

    /// <summary>The quantiles of the error with a test image on each side; of others only the least or largest error is
    /// known.</summary>
    static IEnumerable<KeyValuePair<string, double>> KnownQuantiles(ModelEvaluation evaluation) =>
        evaluation.Anomaly.Quantiles.Where(
            quantile => HasImagesOnBothSides(quantile.Key, evaluation.Metrics["test_images"]));

    /// <summary>Whether at least one of so many images lies on each side of a quantile.</summary>
    internal static bool HasImagesOnBothSides(string part, double images)
    {
        var below = decimal.Parse(part, CultureInfo.InvariantCulture);
        return (decimal)images * Math.Min(below, 1 - below) >= 1;
    }

    static string Number(double value) => value.ToString(
        Math.Abs(value) >= 1000 ? "#,0" : Math.Abs(value) >= 10 ? "0.##" : "0.####", CultureInfo.InvariantCulture);

    /// <summary>How few latents tell nine tenths of all.</summary>
    static int Most(IReadOnlyList<double> kl)
    {
        var (sum, all) = (0.0, kl.Sum());
        return kl.OrderDescending().TakeWhile(value => (sum += value) - value < 0.9 * all).Count();
    }

    /// <summary>A bar for each latent, the highest first; those not in use are pale.</summary>
    static string Bars(IReadOnlyList<double> kl, IReadOnlyList<bool> inUse)
    {
        var axis = ChartAxis.Of([0, Math.Max(kl.Where(double.IsFinite).DefaultIfEmpty().Max(), 1e-9)]);
        var step = (Width - Left) / (double)kl.Count;
        var isKnown = inUse.Count == kl.Count;
        var words = string.Create(CultureInfo.InvariantCulture,
            $"How much each latent tells of an image, in nats (KL to the prior); "
            + $"{kl.Sum():F1} together, most of it by {Most(kl)}.");
        if (isKnown)
            words += FormattableString.Invariant($" {inUse.Count(used => used)} of {kl.Count} are in use, the others are pale.");
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<figure><figcaption><b>KL of each latent.</b> {words}</figcaption><svg "
            + $"viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"KL of each latent\">");
        foreach (var tick in axis.Ticks)
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width}\" y1=\"{Y(tick):F1}\" "
                + $"y2=\"{Y(tick):F1}\"/><text x=\"{Left - 8}\" y=\"{Y(tick) + 4:F1}\" text-anchor=\"end\">{tick:0.####}</text>");
        foreach (var (place, (latent, value)) in kl.Index().OrderByDescending(entry => entry.Item).Index())
        {
            var top = Math.Min(Y(double.IsFinite(value) ? Math.Max(0, value) : 0), Height - Bottom - Least);
            svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"{(isKnown && !inUse[latent] ? "bar unused" : "bar")}\" "
                + $"x=\"{Left + place * step:F1}\" y=\"{top:F1}\" width=\"{step * 0.85:F2}\" "
                + $"height=\"{Height - Bottom - top:F1}\"><title>latent {latent}: {value:G3} nats</title></rect>");
        }
        return svg.Append("</svg></figure>").ToString();

        double Y(double value) => Height - Bottom - (Height - Bottom - Top) * axis.Place(value);
    }
}
