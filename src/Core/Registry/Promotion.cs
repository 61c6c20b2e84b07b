namespace VaeFunctions.Registry;

/// <summary>What the gate decided about a version, and from what.</summary>
/// <param name="Promoted">Whether the version may serve.</param>
/// <param name="Forced">Whether that was decided against the comparison, or without one, by force.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="ComparedWith">The version that served, or null where none did or it cannot be read.</param>
/// <param name="Loss">The candidate's test loss.</param>
/// <param name="ServingLoss">The serving version's loss on the same data, where it is known.</param>
/// <param name="Tolerance">The accepted relative worsening.</param>
public sealed record Promotion(
    bool Promoted, bool Forced, string Reason, string? ComparedWith, double? Loss, double? ServingLoss, double Tolerance);
