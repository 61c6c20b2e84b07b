using System.Text.Json;
using System.Text.Json.Serialization;

namespace VaeFunctions.LocalFunctions;

/// <summary>What the local host understands of host.json; anything else there is an error rather than silently without effect.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
sealed record HostSettings
{
    public required string Version { get; init; }

    public ExtensionSettings Extensions { get; init; } = new();

    /// <summary>The Azure host's; the local one logs to the console as Logging__LogLevel__… settings say.</summary>
    public JsonElement Logging { get; init; }

    /// <summary>Reads and checks host.json.</summary>
    /// <exception cref="HostSetupException">The file is missing or says something that is unknown, ill-typed or out of range.</exception>
    public static HostSettings Read(string path)
    {
        try
        {
            var settings = JsonSerializer.Deserialize<HostSettings>(File.ReadAllBytes(path), Json)
                ?? throw new HostSetupException($"{path}: found null, expected an object.");
            settings.Check(path);
            return settings;
        }
        catch (JsonException fault)
        {
            throw new HostSetupException($"{path}: {fault.Message} Known are version, extensions.http.routePrefix, " +
                "extensions.blobs.maxDegreeOfParallelism, extensions.blobs.poisonBlobThreshold, extensions.queues.batchSize, " +
                ".maxDequeueCount, .visibilityTimeout and .maxPollingInterval, and logging.", fault);
        }
        catch (IOException fault)
        {
            throw new HostSetupException($"{path}: cannot be read: {fault.Message}", fault);
        }
    }

    void Check(string path)
    {
        if (Version != "2.0")
            throw new HostSetupException($"{path}: version is \"{Version}\"; only \"2.0\" is known.");
        if (Extensions.Blobs.MaxDegreeOfParallelism is < 1 or > 1024)
            throw new HostSetupException($"{path}: extensions.blobs.maxDegreeOfParallelism is {Extensions.Blobs.MaxDegreeOfParallelism}; give 1 to 1024.");
        if (Extensions.Blobs.PoisonBlobThreshold is < 1 or > 100)
            throw new HostSetupException($"{path}: extensions.blobs.poisonBlobThreshold is {Extensions.Blobs.PoisonBlobThreshold}; give 1 to 100.");
        if (Extensions.Queues.BatchSize is < 1 or > 32)
            throw new HostSetupException($"{path}: extensions.queues.batchSize is {Extensions.Queues.BatchSize}; give 1 to 32.");
        if (Extensions.Queues.MaxDequeueCount is < 1 or > 100)
            throw new HostSetupException($"{path}: extensions.queues.maxDequeueCount is {Extensions.Queues.MaxDequeueCount}; give 1 to 100.");
        if (Extensions.Queues.VisibilityTimeout < TimeSpan.Zero || Extensions.Queues.VisibilityTimeout > TimeSpan.FromDays(1))
            throw new HostSetupException($"{path}: extensions.queues.visibilityTimeout is {Extensions.Queues.VisibilityTimeout}; give 00:00:00 to 1.00:00:00.");
        if (Extensions.Queues.MaxPollingInterval < TimeSpan.FromMilliseconds(100) || Extensions.Queues.MaxPollingInterval > TimeSpan.FromDays(1))
            throw new HostSetupException($"{path}: extensions.queues.maxPollingInterval is {Extensions.Queues.MaxPollingInterval}; give 00:00:00.1 to 1.00:00:00.");
    }

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.Strict,
        ReadCommentHandling = JsonCommentHandling.Skip,
        RespectNullableAnnotations = true,
    };
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
sealed record ExtensionSettings
{
    public HttpSettings Http { get; init; } = new();

    public BlobSettings Blobs { get; init; } = new();

    public QueueSettings Queues { get; init; } = new();
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
sealed record HttpSettings
{
    public string RoutePrefix { get; init; } = "api";
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
sealed record BlobSettings
{
    /// <summary>How many blobs of one function are worked on at once.</summary>
    public int MaxDegreeOfParallelism { get; init; } = 8 * Environment.ProcessorCount;

    /// <summary>How often a blob is tried before it is set aside.</summary>
    public int PoisonBlobThreshold { get; init; } = 5;
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
sealed record QueueSettings
{
    /// <summary>How many messages of one function are worked on at once.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>How often a message is tried before it goes to the poison queue.</summary>
    public int MaxDequeueCount { get; init; } = 5;

    /// <summary>How long a message that failed waits for its next try.</summary>
    public TimeSpan VisibilityTimeout { get; init; }

    /// <summary>The longest that an empty queue is left alone; this host never leaves one for longer than a second.</summary>
    public TimeSpan MaxPollingInterval { get; init; } = TimeSpan.FromMinutes(1);
}
