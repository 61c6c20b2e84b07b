using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace VaeFunctions.Serving;

/// <summary>What is counted and traced, under names in OpenTelemetry's manner; any exporter that listens to <see cref="Name"/>
/// gets it.</summary>
public sealed class ServingMetrics : IDisposable
{
    public const string Name = "VaeFunctions";

    readonly Meter meter;
    readonly Counter<long> requests;
    readonly Histogram<double> duration;
    readonly Counter<long> rejections;
    readonly Histogram<int> batchSize;
    readonly UpDownCounter<int> queueDepth;

    public ServingMetrics(IMeterFactory meters)
    {
        meter = meters.Create(Name);
        requests = meter.CreateCounter<long>("vae.requests", "{request}", "Answers by function, model and status.");
        duration = meter.CreateHistogram<double>("vae.request.duration", "s", "From the request to its answer.");
        rejections = meter.CreateCounter<long>("vae.rejections", "{request}", "Requests refused, by reason.");
        batchSize = meter.CreateHistogram<int>("vae.batch.size", "{image}", "Images that shared a run of a graph.");
        queueDepth = meter.CreateUpDownCounter<int>("vae.queue.depth", "{image}", "Images that wait for a run.");
    }

    public static ActivitySource Traces { get; } = new(Name);

    /// <param name="refusal">Why it was refused, in a word or two; null where it was not.</param>
    public void Answered(string function, string? model, int status, TimeSpan elapsed, string? refusal = null)
    {
        TagList tags = new() { { "vae.function", function }, { "vae.model", model ?? "" },
            { "http.response.status_code", status } };
        requests.Add(1, tags);
        duration.Record(elapsed.TotalSeconds, tags);
        if (refusal is not null)
            rejections.Add(1, new TagList { { "vae.function", function }, { "vae.model", model ?? "" },
                { "vae.reason", refusal } });
    }

    internal BatchMetrics For(string model, string graph) =>
        new(batchSize, queueDepth, new() { { "vae.model", model }, { "vae.graph", graph } });

    public void Dispose() => meter.Dispose();
}

/// <summary>The figures of one graph's batches.</summary>
sealed class BatchMetrics(Histogram<int> batchSize, UpDownCounter<int> queueDepth, TagList tags)
{
    public void Queued(int rows) => queueDepth.Add(rows, tags);

    public void Ran(int rows) => batchSize.Record(rows, tags);
}
