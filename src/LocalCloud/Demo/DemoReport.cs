using System.Text.Encodings.Web;
using System.Text.Json;

namespace VaeFunctions.LocalCloud;

/// <summary>A picture of sampled images and how it was asked for.</summary>
sealed record SampleGrid(string File, int Seed, double Temperature);

/// <summary>An image and the model's reconstruction of it.</summary>
sealed record Pair(string Before, string After);

/// <summary>What became of the images in the inbox, in images.</summary>
sealed record InboxCount(int Dropped, int Results, int Rejected);

/// <summary>What the gallery shows. Paths are relative to its folder.</summary>
/// <param name="Rejected">Rejected images and the reasons.</param>
sealed record DemoPictures(
    Metrics Metrics, IReadOnlyList<SampleGrid> Samples, IReadOnlyList<Pair> Pairs, IReadOnlyList<Pair> Results,
    IReadOnlyDictionary<string, string> Rejected, Highlights Highlights);

/// <summary>What the demo did: the content of demo.json.</summary>
sealed record DemoReport
{
    static readonly JsonSerializerOptions json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

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

    public string ToJson() => JsonSerializer.Serialize(this, json);
}
