using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>What an answer says of itself beside its body.</summary>
static class ResponseHeaders
{
    /// <summary>Leases the model that is asked for, and names it and its version in the answer, also where that is a refusal.</summary>
    public static async Task<ModelSession> LeaseAsync(this ModelProvider models, HttpRequest request, string model, CancellationToken cancellation)
    {
        var session = await models.LeaseAsync(model, cancellation);
        request.HttpContext.Response.Headers["X-Model"] = session.Model;
        request.HttpContext.Response.Headers["X-Version"] = session.Version;
        return session;
    }

    /// <summary>Says what makes the answer again.</summary>
    public static void DescribeSeed(this HttpResponse response, long? seed)
    {
        if (seed is not null)
            response.Headers["X-Seed"] = seed.ToString();
    }

    /// <summary>Says which images did not have the model's size: <c>640x480 -> 32x32</c>, with their numbers where there are several.</summary>
    public static void DescribeResizing(this HttpResponse response, ModelSession session, IEnumerable<FittedImage> images)
    {
        FittedImage[] all = [.. images];
        var resized = all.Index().Where(entry => entry.Item.Resized)
            .Select(entry => $"{(all.Length > 1 ? $"{entry.Index + 1}: " : "")}{entry.Item.OriginalSize} -> {session.Shape.Width}x{session.Shape.Height}");
        if (string.Join(", ", resized) is { Length: > 0 } text)
            response.Headers["X-Resized"] = text;
    }
}
