using System.Text.Json.Serialization;

namespace VaeFunctions.Registry;

/// <summary>Which version of a model serves: the content of <c>current.json</c>.</summary>
public sealed record CurrentPointer
{
    /// <summary>How many past versions are kept for rollback.</summary>
    public const int MaxHistory = 20;

    public required string Version { get; init; }

    /// <summary>When the pointer moved here.</summary>
    public required DateTimeOffset Changed { get; init; }

    /// <summary>Why it moved here, for people.</summary>
    public required string Reason { get; init; }

    /// <summary>What a rollback goes back to, newest first.</summary>
    public IReadOnlyList<PastVersion> History { get; init => field = value ?? []; } = []; // null: the key is not there

    [JsonIgnore]
    public string? Previous => History is [var newest, ..] ? newest.Version : null;

    /// <summary>The ETag under which this was read; empty before it was written.</summary>
    [JsonIgnore]
    public string ETag { get; init; } = "";
}

/// <summary>A version that served before, since when, and why.</summary>
public sealed record PastVersion(string Version, DateTimeOffset Changed, string Reason);
