using System.Text.Json;
using VaeFunctions.Data;

namespace VaeFunctions.Evaluation;

/// <summary>What docs/results.md has to show: docs/results.json.</summary>
public sealed record Claims(string Introduction, IReadOnlyList<ClaimSection> Sections)
{
    /// <exception cref="DataException">It is no such file, or a claim makes no sense.</exception>
    public static Claims Parse(string json, string path)
    {
        try
        {
            var claims = EvaluationJson.Read<Claims>(new(json)) ?? throw new JsonException("it is empty");
            foreach (var claim in claims.Sections.SelectMany(section => section.Claims))
            {
                if (claim.AtMost < claim.AtLeast)
                    throw new DataException($"{path}: {claim.Metric} of {claim.Model} cannot be at least {claim.AtLeast} and "
                        + $"at most {claim.AtMost}.");
                if (claim.Epoch is < 1)
                    throw new DataException($"{path}: the claim about {claim.Model} is of epoch {claim.Epoch}; epochs "
                        + "count from 1.");
            }
            return claims;
        }
        catch (JsonException e)
        {
            throw new DataException($"{path} is no list of claims: {e.Message}", e);
        }
    }
}

/// <summary>Claims that belong together.</summary>
public sealed record ClaimSection(string Title, string Text, IReadOnlyList<Claim> Claims);

/// <summary>A figure of a model, and what it should be.</summary>
/// <param name="Model">A published model; its recipe has the same name.</param>
/// <param name="Metric">A metric of the manifest or the last evaluation, or <c>anomaly_error</c>, <c>anomaly_elbo</c> or
/// <c>anomaly_best</c> of the anomaly benchmark.</param>
/// <param name="What">The figure in words.</param>
public sealed record Claim(string Model, string Metric, string What)
{
    public double? AtMost { get; init; }

    public double? AtLeast { get; init; }

    /// <summary>A model whose figure is taken off.</summary>
    public string? Against { get; init; }

    /// <summary>The epoch whose line of metrics.csv has the figure, under the name of the metric; the published one unless
    /// given.</summary>
    public int? Epoch { get; init; }

    /// <summary>The draws that an importance-weighted bound must have been made of.</summary>
    public int? Draws { get; init; }

    /// <summary>Whom else to compare with.</summary>
    public string? Reference { get; init; }

    /// <summary>What is asked, such as <c>≤ 10.4</c>.</summary>
    public string Asked => string.Join(", ", [.. Part("≥", AtLeast), .. Part("≤", AtMost)]);

    /// <summary>Null where nothing is asked: the figure is there for comparison.</summary>
    public bool? IsMet(double figure) =>
        AtLeast is null && AtMost is null ? null : !(figure < AtLeast) && !(figure > AtMost) && !double.IsNaN(figure);

    static string[] Part(string relation, double? limit) =>
        limit is null ? [] : [FormattableString.Invariant($"{relation} {limit}")];
}
