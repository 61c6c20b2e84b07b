using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Images out of nothing: those that the HTTP function draws with the same seed, however many.</summary>
sealed class SampleOperation : JobOperation
{
    public override string Name => "sample";

    public override Field[] Fields => [JobFields.Count, Field.Seed, SampleFunction.Temperature];

    public override async Task<JobParameters> ReadAsync(ModelCall call, RequestLatents latents)
    {
        var given = new JobParameters
        {
            Count = call.Content.Whole(JobFields.Count, 16),
            Seed = call.Content.SeedOrRandom(),
            Temperature = (float)call.Content.Number(SampleFunction.Temperature, 1),
            Labels = call.Session.Conditional && !call.Content.Has(Field.Label) ? [.. call.Session.Labels] : null,
        };
        await call.Session.DrawAsync(1, 0, 1, call.Cancellation); // says if there is nothing to draw from
        return given;
    }

    /// <summary>What is to be drawn, from some number on. Where the labels take turns, each has a folder, as training images
    /// do.</summary>
    public static IEnumerable<JobImage> From(Job job, long first)
    {
        for (var number = first; number < job.Parameters.Count; number++)
            yield return new(job.Parameters.Labels is { } labels
                ? $"{FolderOf(labels[number % labels.Length], number % labels.Length)}/{number + 1:0000000}"
                : $"{number + 1:0000000}");
    }

    public override async Task<JobMade[][]> RunAsync(
        Job job, ModelSession session, IReadOnlyList<JobInput> images, CancellationToken cancellation)
    {
        var (given, count) = (job.Parameters, session.Labels.Count);
        // Images of one slice follow one another.
        var drawn = await session.DrawAsync(
            images.Count, (ulong)given.Seed!, given.Temperature!.Value, cancellation, first: images[0].Number);
        long[]? labels = given.Labels is null ? Labels(job, session, images.Count)
            : [.. images.Select(image => image.Number % count)];
        var pictures = await session.DecodeAsync(drawn, labels, cancellation);
        return [.. images.Select((image, i) => (JobMade[])[new(JobResult.Of(job, image, session) with
        {
            Label = labels is null ? null : session.Labels[(int)labels[i]],
            Seed = given.Seed,
            Latent = drawn[i],
        }, pictures[i])])];
    }

    /// <summary>A label's name, where a folder can be called so.</summary>
    static string FolderOf(string label, long number) =>
        !label.Contains('/') && BlobStores.IsPath($"results/{label}/image") ? label : $"label-{number}";
}
