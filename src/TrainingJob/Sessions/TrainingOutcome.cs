using VaeFunctions.Registry;

namespace VaeFunctions.Sessions;

/// <summary>How a training ended.</summary>
public enum TrainingEnd
{
    /// <summary>A version is published.</summary>
    Published,

    /// <summary>The last epoch is done and the checkpoint kept; to publish was not asked for.</summary>
    Trained,

    /// <summary>Asked to stop, it saved a checkpoint and left.</summary>
    Interrupted,

    /// <summary>The newest version was trained on the same images with the same recipe; nothing was done.</summary>
    Unchanged,
}

/// <summary>What came of a training.</summary>
/// <param name="Model">The name it is published under.</param>
public sealed record TrainingOutcome(TrainingEnd End, string Model)
{
    /// <summary>The run whose checkpoint has the weights; null where nothing was trained.</summary>
    public string? Run { get; init; }

    /// <summary>The epochs that are done, in all.</summary>
    public int Epochs { get; init; }

    /// <summary>The training time of these epochs, in seconds.</summary>
    public double Seconds { get; init; }

    /// <summary>The test loss of the weights that are published, or would be; null where no epoch is done.</summary>
    public double? TestLoss { get; init; }

    /// <summary>Of the images.</summary>
    public string? DataFingerprint { get; init; }

    /// <summary>The version that was published, or that there was already.</summary>
    public string? Version { get; init; }

    /// <summary>What was published; null where nothing was.</summary>
    public Manifest? Manifest { get; init; }

    /// <summary>The version that serves now, whichever it is; null where none does, or where it was not asked for.</summary>
    public CurrentPointer? Serving { get; init; }

    /// <summary>Whether the published version serves.</summary>
    public bool Serves => Manifest?.Promotion is { Promoted: true };

    /// <summary>Why the published version serves, or why not.</summary>
    public string? Reason => Manifest?.Promotion?.Reason;
}
