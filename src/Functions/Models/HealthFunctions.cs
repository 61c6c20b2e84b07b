using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;

namespace VaeFunctions.Serving;

/// <summary>For whoever watches the server: whether it runs, and whether requests should be sent to it.</summary>
public sealed class HealthFunctions(ModelProvider models, ModelFollower follower)
{
    [Function("HealthLive")]
    [Describes("Say that the program runs.")]
    public static IActionResult Live([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "health/live")] HttpRequest request) =>
        Answers.Json(new { status = "live" });

    /// <summary>Ready once every model that serves has been warmed up. A storage that fails later does not change that: what is loaded serves.</summary>
    [Function("HealthReady")]
    [Describes("Say whether every serving model is warmed up.")]
    public IActionResult Ready([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "health/ready")] HttpRequest request)
    {
        var states = models.States.ToList();
        List<string> reasons = [.. states.Where(state => state.Version is null).Select(state => state.Refusal ?? $"Model {state.Model} is being loaded.")];
        if (!follower.WarmedUp)
            reasons.Add(follower.StorageFault is { } fault ? $"The storage does not answer: {fault}" : "The models are being loaded.");
        return Answers.Json(
            new { status = reasons is [] ? "ready" : "not ready", reasons, storage = follower.StorageFault ?? "answers", models = states },
            reasons is [] ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }
}
