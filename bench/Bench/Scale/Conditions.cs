namespace VaeFunctions.Bench.Scale;

/// <summary>What the simulated cloud is like. Times in seconds; they are assumptions, and the report repeats those that
/// matter.</summary>
sealed record Conditions
{
    public long Images { get; init; } = 10_000_000;

    public int Replicas { get; init; } = 100;

    /// <summary>How many images are really read, run and written; each stands for as many as it takes to have all.</summary>
    public int Real { get; init; } = 100_000;

    public string Format { get; init; } = "parquet";

    public ulong Seed { get; init; } = 1;

    /// <summary>How many images one stands for.</summary>
    public int Each => (int)Math.Max(1, Images / Real);

    /// <summary>Requests a second that the storage account answers before it puts off: Azure's default for a standard account in
    /// most regions; 20,000 in the others.</summary>
    public double AccountRate { get; init; } = 40_000;

    /// <summary>The median of a small request's time, and of a page of a listing's; times are log-normal, the 99th percentile
    /// five times as long.</summary>
    public double Request { get; init; } = 0.010;

    public double Page { get; init; } = 0.100;

    public int PageSize { get; init; } = 5000;

    /// <summary>Processor time of an image: reading the JPEG, encoder, decoder, and its share of the file.</summary>
    public double Computing { get; init; } = 0.004;

    public int VCpus { get; init; } = 2;

    /// <summary>Messages that a replica works on at once: host.json's batch of 2, and a new batch when one is left.</summary>
    public int MessagesAtOnce { get; init; } = 3;

    /// <summary>How long a message that was taken is invisible, and how often its taker prolongs that.</summary>
    public double Lease { get; init; } = 600;

    public double Renewal { get; init; } = 300;

    /// <summary>When a message that failed is visible again (host.json), and how often it may fail.</summary>
    public double Retry { get; init; } = 5;

    public int Tries { get; init; } = 5;

    /// <summary>The longest that an idle replica waits before it asks for messages again (host.json).</summary>
    public double Polling { get; init; } = 5;

    /// <summary>From the first message to the first replica; after that a step of scaling every so often: 1, 4, then twice as
    /// many.</summary>
    public double ColdStart { get; init; } = 25;

    public double ScaleStep { get; init; } = 15;

    /// <summary>How long a replica lives on average before the platform moves it, and until another takes its place.</summary>
    public double Lifetime { get; init; } = 2 * 3600;

    /// <summary>The share of images that are none; of images that are many times as large, all of them at the end of the list;
    /// and of slices with a blob that cannot be read whatever is tried.</summary>
    public double Broken { get; init; } = 0.001;

    public double Large { get; init; } = 0.01;

    public int LargeFactor { get; init; } = 20;

    public double Poison { get; init; } = 0.001;
}
