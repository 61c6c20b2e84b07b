using System.Text.Json;
using System.Text.Json.Serialization;

namespace VaeFunctions.LocalCloud;

/// <summary>A picture of sampled images and how it was asked for.</summary>
sealed record SampleGrid(string File, int Seed, double Temperature);

/// <summary>An image and the model's reconstruction of it.</summary>
sealed record Pair(string Before, string After);

/// <summary>What became of the images in the inbox, in images.</summary>
sealed record InboxCount(int Dropped, int Results, int Rejected);

/// <summary>What the demo did: demo.json, and the material of the gallery. Paths are relative to the gallery's folder.</summary>
sealed record DemoReport
{
    static readonly JsonSerializerOptions _json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public required string Recipe { get; init; }

    public required string Model { get; init; }

    public required string Version { get; init; }

    /// <summary>The loss on the test images after the last epoch.</summary>
    public required double TestLoss { get; init; }

    /// <summary>What the loss measures.</summary>
    public required string Loss { get; init; }

    /// <summary>How many images it learned from.</summary>
    public required int Images { get; init; }

    /// <summary>Seconds of each stage, in order.</summary>
    public required IReadOnlyDictionary<string, double> Seconds { get; init; }

    public double TotalSeconds => Math.Round(Seconds.Values.Sum(), 1);

    public int Cores { get; } = Environment.ProcessorCount;

    public required InboxCount Inbox { get; init; }

    public required IReadOnlyList<string> Files { get; init; }

    [JsonIgnore]
    public required Metrics Metrics { get; init; }

    [JsonIgnore]
    public required IReadOnlyList<SampleGrid> Samples { get; init; }

    [JsonIgnore]
    public required IReadOnlyList<Pair> Pairs { get; init; }

    [JsonIgnore]
    public required IReadOnlyList<Pair> Results { get; init; }

    /// <summary>Rejected images and the reasons.</summary>
    [JsonIgnore]
    public required IReadOnlyDictionary<string, string> Rejected { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, _json);
}
