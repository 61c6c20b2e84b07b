using System.Globalization;
using System.Net;
using System.Text;

namespace VaeFunctions.Evaluation;

/// <summary>The report's part about what was measured after training.</summary>
public static class EvaluationSection
{
    const int Width = 640, Height = 160, Left = 56, Bottom = 20;

    public static string Write(ModelEvaluation evaluation)
    {
        var page = new StringBuilder("<h2>Evaluation</h2>");
        if (evaluation.KlPerLatent.Count > 0) page.Append(Bars(evaluation.KlPerLatent));
        page.Append("<div class=\"scroll\"><table>");
        foreach (var (name, value) in evaluation.Metrics.OrderBy(metric => metric.Key, StringComparer.Ordinal))
            page.Append(CultureInfo.InvariantCulture, $"<tr><th>{name.Replace('_', ' ')}</th><td>{value:G6}</td></tr>");
        foreach (var (part, error) in evaluation.Anomaly.Quantiles)
            page.Append(CultureInfo.InvariantCulture, $"<tr><th>reconstruction error, quantile {part} of "
                + $"{evaluation.Metrics["test_images"]:N0} images</th><td>{error:G4}</td></tr>");
        page.Append("</table></div>");
        if (evaluation.Attributes.Count == 0) return page.ToString();

        page.Append("<h3>What latents know of the attributes</h3><div "
            + "class=\"scroll\"><table><tr><th>attribute</th><th>latent</th><th>part of its entropy</th><th>second "
            + "best</th><th>gap</th></tr>");
        foreach (var attribute in evaluation.Attributes)
        {
            page.Append(CultureInfo.InvariantCulture,
                $"<tr><td>{WebUtility.HtmlEncode(attribute.Name)}</td><td>{attribute.Latent}</td><td>{attribute.Best:F3}</td><td>"
                + $"{attribute.Second:F3}</td><td>{attribute.Gap:F3}</td></tr>");
        }
        return page.Append("</table></div>").ToString();
    }

    /// <summary>A bar for each latent, the highest first.</summary>
    static string Bars(IReadOnlyList<double> kl)
    {
        var highest = Math.Max(kl.Where(double.IsFinite).DefaultIfEmpty().Max(), 1e-9);
        var step = (Width - Left) / (double)kl.Count;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<figure><figcaption>KL of each latent in nats, {kl.Sum():F2} "
            + $"together</figcaption><svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"KL of each latent\">");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 6}\" y=\"12\" text-anchor=\"end\">{highest:G3}</text><text "
            + $"x=\"{Left - 6}\" y=\"{Height - Bottom}\" text-anchor=\"end\">0</text>");
        foreach (var (place, value) in kl.OrderDescending().Index())
        {
            var height = double.IsFinite(value) ? Math.Max(0, value) / highest * (Height - Bottom) : 0;
            svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"bar\" x=\"{Left + place * step:F1}\" y=\""
                + $"{Height - Bottom - height:F1}\" width=\"{step * 0.85:F2}\" height=\"{height:F1}\"/>");
        }
        return svg.Append("</svg></figure>").ToString();
    }
}
