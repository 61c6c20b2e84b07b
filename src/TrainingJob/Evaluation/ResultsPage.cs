using System.Globalization;
using System.Text;

namespace VaeFunctions.Evaluation;

/// <summary>docs/results.md: each claim beside what was measured.</summary>
public sealed class ResultsPage(IReadOnlyDictionary<string, MeasuredModel> models)
{
    /// <param name="machine">Where the models were trained, in words.</param>
    /// <param name="pictures">Model to its pictures, as links from the page.</param>
    public string Write(Claims claims, string machine, IReadOnlyDictionary<string, IReadOnlyList<string>> pictures)
    {
        var page = new StringBuilder("# Results\n\n");
        page.Append(CultureInfo.InvariantCulture, $"{claims.Introduction} Trained on: {machine}. This page is written by `./vae "
            + $"results`; what it has to show is in [results.json](results.json).\n");
        foreach (var section in claims.Sections)
        {
            string[] names =
            [
                .. section.Claims.SelectMany(claim => (string?[])[claim.Model, claim.Against]).OfType<string>().Distinct(),
            ];
            page.Append(CultureInfo.InvariantCulture, $"\n## {section.Title}\n\n{section.Text}\n\n| recipe | figure | measured | "
                + $"asked | | reference | minutes |\n| --- | --- | --- | --- | --- | --- | --- |\n");
            foreach (var claim in section.Claims) page.Append(Row(claim));
            page.Append("\n```\n").AppendJoin('\n', section.Claims.SelectMany(Commands).Distinct()).Append("\n```\n");
            foreach (var name in names.Where(pictures.ContainsKey))
                page.Append('\n').AppendJoin('\n', pictures[name]
                    .Select(link => $"![{name}: {Path.GetFileNameWithoutExtension(link)}]({link})")).Append('\n');
            foreach (var name in names) page.Append(Attributes(models[name]));
            foreach (var claim in section.Claims.Where(claim => claim.Metric.StartsWith("anomaly_", StringComparison.Ordinal)))
                page.Append(Anomalies(models[claim.Model]));
        }
        return page.ToString();
    }

    string Row(Claim claim)
    {
        var model = models[claim.Model];
        var (figure, other) = (model.Figure(claim), claim.Against is { } against ? models[against].Figure(claim) : 0);
        var value = figure - other;
        var (measured, verdict) = value is null
            ? ("not measured", "")
            : (Number(value.Value) + (claim.Against is null ? "" : $" ({Number(figure!.Value)} − {Number(other!.Value)})"),
                claim.IsMet(value.Value) switch { true => "✓", false => "✗", null => "" });
        if (value is not null && claim.Metric.StartsWith(ModelEvaluation.Bound, StringComparison.Ordinal))
            measured += string.Create(CultureInfo.InvariantCulture, $", {model.BoundImages:N0} images");
        var what = claim.Against is null ? claim.What : $"{claim.What}, less that of `{claim.Against}`";
        return string.Create(CultureInfo.InvariantCulture,
            $"| `{claim.Model}` | {what} | {measured} | {claim.Asked} | {verdict} | {claim.Reference} | "
            + $"{model.Minutes?.ToString("F1", CultureInfo.InvariantCulture)} |\n");
    }

    /// <summary>How the figure is made. A source's place is that of the machine it was on, and is not told.</summary>
    IEnumerable<string> Commands(Claim claim)
    {
        if (claim.Metric.StartsWith("anomaly_", StringComparison.Ordinal))
        {
            yield return $"./vae anomaly-benchmark {claim.Model}{Source(models[claim.Model].Anomalies?.Source)}";
            yield break;
        }
        foreach (var name in (string?[])[claim.Model, claim.Against])
        {
            if (name is null) continue;
            yield return $"./vae train {name}{Source(models[name].Manifest?.Data.Source)}{models[name].TrainingOptions}";
            if (claim.Draws is { } draws)
                yield return $"./vae evaluate {name} --draws {draws} --images "
                    + $"{(models[name].BoundImages > 0 ? models[name].BoundImages : 10000)}";
        }

        static string Source(string? source) => source is null
            ? ""
            : $" --data {(source.Split(':') is [var kind, _, ..] && kind != "faces" ? kind + ":PATH" : source)}";
    }

    static string Attributes(MeasuredModel model)
    {
        if (model.Attributes.Count == 0) return "";
        var table = new StringBuilder($"\n`{model.Name}`: mutual information between attributes and latents, over the "
            + "attribute's entropy.\n\n| attribute | best latent | it knows | second best | gap |\n| --- | --- | --- | --- "
            + "| --- |\n");
        foreach (var attribute in model.Attributes)
            table.Append(CultureInfo.InvariantCulture, $"| {attribute.Name} | {attribute.Latent} | {attribute.Best:F3} | "
                + $"{attribute.Second:F3} | {attribute.Gap:F3} |\n");
        return table.Append(CultureInfo.InvariantCulture, $"| mean | | | | "
            + $"{model.Attributes.Average(attribute => attribute.Gap):F3} |\n").ToString();
    }

    static string Anomalies(MeasuredModel model)
    {
        if (model.Anomalies is not { } anomalies) return "";
        var table = new StringBuilder($"\n{anomalies.Protocol}\n\n"
            + "| label | trained on | AUROC, error | AUROC, −ELBO | AUROC, both |\n| --- | --- | --- | --- | --- |\n");
        foreach (var label in anomalies.Labels)
            table.Append(CultureInfo.InvariantCulture, $"| {label.Label} | {label.TrainingImages:N0} | {label.Error:F4} | "
                + $"{label.Elbo:F4} | {Joint(label.Joint)} |\n");
        return table.Append(CultureInfo.InvariantCulture, $"| mean | | {anomalies.Error:F4} | {anomalies.Elbo:F4} | "
            + $"{Joint(anomalies.Joint)} |\n").ToString();

        static string Joint(double? value) => value?.ToString("F4", CultureInfo.InvariantCulture) ?? "–";
    }

    static string Number(double value) =>
        value.ToString(Math.Abs(value) >= 1000 ? "N0" : Math.Abs(value) >= 10 ? "F2" : "F4", CultureInfo.InvariantCulture);
}
