using Microsoft.Azure.Functions.Worker;

namespace VaeFunctions.Serving;

/// <summary>For whoever watches the server: whether it runs, and whether requests should be sent to it.</summary>
public sealed class HealthFunctions(ModelProvider models, ModelFollower follower)
{
    [Function("HealthLive")]
    [Describes("Say that the program runs.")]
    public static Answer<LiveAnswer> Live(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "health/live")] HttpRequest request) =>
        new LiveAnswer("live");

    /// <summary>Ready once every model that serves has been warmed up. A storage that fails later does not change that: what is
    /// loaded serves.</summary>
    [Function("HealthReady")]
    [Describes("Say whether every serving model is warmed up.")]
    public Answer<ReadyAnswer> Ready(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "health/ready")] HttpRequest request)
    {
        var states = models.States.ToList();
        List<string> reasons = [.. states.Where(state => state.Version is null)
            .Select(state => state.Refusal ?? $"Model {state.Model} is being loaded.")];
        reasons.AddRange(follower.Unreadable.Where(look => states.All(state => state.Model != look.Model))
            .Select(look => $"Model {look.Model} cannot be loaded: {look.Why}"));
        if (!follower.WarmedUp)
            reasons.Add(follower.StorageFault is { } fault ? $"The storage does not answer: {fault}"
                : "The models are being loaded.");
        return new(Answers.Json(
            new ReadyAnswer(reasons is [] ? "ready" : "not ready", reasons, follower.StorageFault ?? "answers", states),
            reasons is [] ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable));
    }
}

/// <summary>That the program runs.</summary>
/// <param name="Status">live.</param>
public sealed record LiveAnswer(string Status);

/// <summary>Whether requests should be sent here; with status 503 where not.</summary>
/// <param name="Status">ready or not ready.</param>
/// <param name="Reasons">Why not.</param>
/// <param name="Storage">answers, or why it does not.</param>
public sealed record ReadyAnswer(string Status, IReadOnlyList<string> Reasons, string Storage, IReadOnlyList<ModelState> Models);
