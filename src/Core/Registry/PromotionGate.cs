using System.Globalization;

namespace VaeFunctions.Registry;

/// <summary>Decides whether a new version may serve: its test loss must not be worse than the serving version's, on the same
/// data, by more than a tolerance.</summary>
/// <remarks>Two recorded losses compare only if data fingerprint, image shape and loss agree. Where they do not, the caller
/// measures the serving model on the candidate's test data with the candidate's loss and hands that in; without it the candidate
/// passes only by force. A loss that is not finite never passes, not even by force: such a model draws nothing.</remarks>
public sealed record PromotionGate
{
    readonly double tolerance = 0.01;

    /// <summary>The accepted worsening relative to the serving loss, from 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public double Tolerance
    {
        get => tolerance;
        init => tolerance = double.IsFinite(value) && value >= 0
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(value), value, "The gate's tolerance is a finite number from 0, such as 0.01 for 1 %.");
    }

    /// <param name="serving">The manifest of the version that serves, or null where none does.</param>
    /// <param name="servingLossOnSameData">The serving model's loss, measured anew on the candidate's test data.</param>
    /// <param name="unreadable">Why what serves cannot be read, where it cannot; <paramref name="serving"/> is null then.</param>
    /// <param name="force">Lets a candidate pass whatever the comparison says; recorded as forced where it made the
    /// difference.</param>
    public Promotion Decide(Manifest candidate, Manifest? serving, double? servingLossOnSameData = null,
        string? unreadable = null, bool force = false)
    {
        double? loss = candidate.Metrics.TryGetValue(Manifest.TestLoss, out var value) ? value : null;
        if (loss is not { } finite || !double.IsFinite(finite))
            return Result(false, false, $"Its {Manifest.TestLoss} is {(loss is null ? "missing" : Text(value))}; only a "
                + "finite loss passes, even by force.", null);
        if (unreadable is not null)
            return Judged(
                false, $"It cannot be compared with what serves: {unreadable} Force the promotion to replace that.", null);
        if (serving is null)
            return Result(true, false, $"It is the first to serve; test loss {Text(finite)}.", null);

        var obstacle = servingLossOnSameData is null ? WhyNotComparable(candidate, serving) : null;
        if (obstacle is not null)
            return Judged(false, $"It cannot be compared with {serving.Version}: {obstacle}. Evaluate the serving model on "
                + "the new test data, or force the promotion.", null);

        var reference = servingLossOnSameData ?? serving.Metrics[Manifest.TestLoss];
        if (!double.IsFinite(reference))
            return Result(
                true, false, $"Test loss {Text(finite)}; that of the serving {serving.Version} is {Text(reference)}.", reference);

        var limit = reference + Tolerance * Math.Abs(reference);
        return Judged(finite <= limit, string.Create(CultureInfo.InvariantCulture,
            $"Test loss {finite:G6} against {reference:G6} of the serving {serving.Version}; with a tolerance of "
                + $"{Tolerance:0.##%} up to {limit:G6} passes."), reference);

        Promotion Judged(bool passes, string reason, double? servingLoss) =>
            Result(passes || force, force && !passes, force && !passes ? "Forced. " + reason : reason, servingLoss);

        Promotion Result(bool promoted, bool forced, string reason, double? servingLoss)
        {
            var caution = candidate.Data.Test is > 0 and < AnomalyCalibration.EnoughImages and var few
                ? $" That is from {Plural.Of(few, "test image")}, too few to judge by."
                : "";
            return new(promoted, forced, reason + caution, serving?.Version, loss, servingLoss, Tolerance);
        }
    }

    static string? WhyNotComparable(Manifest candidate, Manifest serving) =>
        candidate.Image != serving.Image ? $"its images are {candidate.Image}, not {serving.Image}"
        : candidate.Loss != serving.Loss ? $"its loss is \"{candidate.Loss}\", not \"{serving.Loss}\""
        : candidate.Data.Fingerprint != serving.Data.Fingerprint ? $"its data are {candidate.Data.Fingerprint}, not "
            + $"{serving.Data.Fingerprint}"
        : !serving.Metrics.ContainsKey(Manifest.TestLoss) ? $"that version's manifest has no {Manifest.TestLoss}"
        : null;

    static string Text(double number) => number.ToString("G6", CultureInfo.InvariantCulture);
}
