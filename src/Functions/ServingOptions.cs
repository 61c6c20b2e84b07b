using System.ComponentModel.DataAnnotations;

namespace VaeFunctions.Serving;

/// <summary>Limits and intervals, from settings named <c>Serving__…</c>; unknown ones and values out of range stop the
/// start.</summary>
public sealed record ServingOptions
{
    /// <summary>What the settings' names begin with.</summary>
    public const string Section = "Serving";

    /// <summary>The largest request body and the largest blob in the inbox, in bytes.</summary>
    [Range(1024, 100 << 20)]
    public int MaxBodyBytes { get; init; } = 16 << 20;

    /// <summary>The most pixels that an image may have, checked before it is decoded, and all samples of an answer
    /// together.</summary>
    [Range(1, 500_000_000)]
    public int MaxImagePixels { get; init; } = 40_000_000;

    /// <summary>The most images in one request.</summary>
    [Range(1, 4096)]
    public int MaxImages { get; init; } = 64;

    /// <summary>The most samples that one request may draw.</summary>
    [Range(1, 4096)]
    public int MaxSampleCount { get; init; } = 256;

    /// <summary>How often the pointers to the serving versions are looked at, in seconds.</summary>
    [Range(0.05, 3600)]
    public double PointerCheckSeconds { get; init; } = 2;

    /// <summary>Threads of one run; each graph runs as many batches at once as give every thread a core; 0: one run on all
    /// cores.</summary>
    [Range(0, 256)]
    public int RuntimeThreads { get; init; } = 1;

    /// <summary>The most images that may wait for a model's graph; beyond, requests are refused with 503.</summary>
    [Range(1, 1_000_000)]
    public int MaxQueuedImages { get; init; } = 1024;

    /// <summary>The most images that share a run of a graph. On processors, more than 16 gain nothing and leave the caches; a GPU
    /// wants more.</summary>
    [Range(1, 1024)]
    public int LargestBatch { get; init; } = 16;

    /// <summary>How long a run of a graph waits for company after one that several requests shared.</summary>
    [Range(0, 1000)]
    public double BatchWaitMilliseconds { get; init; }

    /// <summary>Seconds that a blob of the inbox is held after its processing failed. For hosts that try again at once, such as
    /// Azure's, whose five tries would otherwise be over before a storage that stumbled answers again.</summary>
    [Range(0, 300)]
    public double InboxPauseSeconds { get; init; }

    /// <summary>The containers whose blobs requests may name, comma-separated.</summary>
    [RegularExpression("^[a-z0-9-]+(,[a-z0-9-]+)*$")]
    public string BlobContainers { get; init; } = "inbox,results";

    /// <summary>The containers that bulk jobs may write to, comma-separated.</summary>
    [RegularExpression("^[a-z0-9-]+(,[a-z0-9-]+)*$")]
    public string JobOutputContainers { get; init; } = "results";

    /// <summary>Images in a slice of a bulk job, which one function run works off.</summary>
    [Range(1, 5000)]
    public int JobSliceSize { get; init; } = 200;

    /// <summary>The same for jobs that write one blob a slice.</summary>
    [Range(1, 10_000)]
    public int JobShardSize { get; init; } = 2500;

    /// <summary>The containers whose blobs requests may name.</summary>
    public string[] ReadableContainers => BlobContainers.Split(',');

    /// <summary>The containers that bulk jobs may write to.</summary>
    public string[] WritableContainers => JobOutputContainers.Split(',');

    /// <summary>How many runs each graph has at once.</summary>
    public int RunsAtOnce => RuntimeThreads == 0 ? 1 : Math.Max(1, Environment.ProcessorCount / RuntimeThreads);

    /// <summary>How often the pointers to the serving versions are looked at.</summary>
    public TimeSpan PointerCheckInterval => TimeSpan.FromSeconds(PointerCheckSeconds);
}
