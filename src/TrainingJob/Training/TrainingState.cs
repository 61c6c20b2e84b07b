using System.Text.Json;
using System.Text.Json.Serialization;

namespace VaeFunctions.Training;

/// <summary>Where a training stands. With the weights and the optimizer's tensors it is all that going on needs: shuffles and
/// noise are functions of the seed, the epoch and the batch.</summary>
/// <param name="Epoch">Epochs done.</param>
/// <param name="Batch">Batches done of the epoch under way.</param>
/// <param name="Train">Sums over the epoch under way.</param>
/// <param name="Seconds">Training time of the epoch under way.</param>
/// <param name="History">A line for every epoch done.</param>
public sealed record TrainingState(int Epoch, int Batch, Measure Train, double Seconds, IReadOnlyList<EpochMetrics> History)
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        IgnoreReadOnlyProperties = true,
    };

    /// <summary>Steps skipped in the epoch under way.</summary>
    public int Skipped { get; init; }

    public static TrainingState Start { get; } = new(0, 0, new(), 0, []);

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <exception cref="JsonException">It is no state.</exception>
    public static TrainingState Parse(string json) =>
        JsonSerializer.Deserialize<TrainingState>(json, Json) ?? throw new JsonException("It is empty.");
}
