using System.Text.Json.Serialization;

namespace VaeFunctions.Registry;

/// <summary>Which version of a model serves: the content of <c>current.json</c>.</summary>
public sealed record CurrentPointer
{
    /// <summary>How many past versions are kept for rollback.</summary>
    public const int MaxHistory = 20;

    public required string Version { get; init; }

    /// <summary>The SHA-256 of the version's manifest when the pointer moved here, so that no other takes its place; null where
    /// an earlier build wrote the pointer.</summary>
    public string? Manifest { get; init; }

    /// <summary>When the pointer moved here.</summary>
    public required DateTimeOffset Changed { get; init; }

    /// <summary>Why it moved here, for people.</summary>
    public required string Reason { get; init; }

    /// <summary>What a rollback goes back to, newest first.</summary>
    public IReadOnlyList<PastVersion> History { get; init => field = value ?? []; } = []; // null: the key is not there

    /// <summary>The versions that rollbacks left, newest first: no retraining lets them serve again. Null where an earlier build
    /// wrote the pointer.</summary>
    public IReadOnlyList<string>? RolledBack { get; init; }

    [JsonIgnore]
    public string? Previous => History is [var newest, ..] ? newest.Version : null;

    /// <summary>The ETag under which this was read; empty before it was written.</summary>
    [JsonIgnore]
    public string ETag { get; init; } = "";

    /// <summary>Whether a version serves, has served or was rolled back. Of one that was not, the promotion is still to be
    /// decided.</summary>
    public bool Knows(string version) =>
        version == Version || History.Any(past => past.Version == version) || LeftBehind([version]).Contains(version);

    /// <summary>Those of some versions that a rollback left. An earlier build did not write them down; then they are those that
    /// are not in its history and no younger than the pointer, to the second.</summary>
    internal IEnumerable<string> LeftBehind(IEnumerable<string> versions)
    {
        var moved = TimeName.Of(Changed);
        return RolledBack ?? versions.Where(version => string.CompareOrdinal(version, 0, moved, 0, moved.Length) <= 0
            && version != Version && History.All(past => past.Version != version));
    }
}

/// <summary>A version that served before, since when, and why.</summary>
/// <param name="Manifest">As <see cref="CurrentPointer.Manifest"/>.</param>
public sealed record PastVersion(string Version, DateTimeOffset Changed, string Reason, string? Manifest = null);
