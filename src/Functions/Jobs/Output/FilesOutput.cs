using System.Text.Json.Nodes;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Files for each image, beside each other: name.png and name.json.</summary>
sealed class FilesOutput(Job job, IBlobStore store) : JobOutput
{
    /// <summary>The JSON comes last: where it is, the result is complete.</summary>
    public override async Task AddAsync(int place, JobImage image, JobResult result, Image? picture, CancellationToken cancellation)
    {
        var path = PathOf(image);
        if (picture is not null)
            await store.WriteAsync($"{path}.png", new BinaryData(ImageCodec.EncodePng(picture)), cancellation: cancellation);
        await store.WriteAsync($"{path}.json", Answers.Document(result), cancellation: cancellation);
    }

    /// <summary>An image that failed has no result, not even one that an earlier job with this output left.</summary>
    public override Task CompleteAsync(IReadOnlyList<JobImage> failed, CancellationToken cancellation) =>
        Parallel.ForEachAsync(failed, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellation },
            async (image, _) =>
            {
                foreach (var ending in (string[])[".json", ".png"])
                {
                    if (BlobStores.IsPath(PathOf(image) + ending))
                        await store.DeleteAsync(PathOf(image) + ending, cancellation);
                }
            });

    public override async Task<IReadOnlySet<JobImage>> GiveUpAsync(IReadOnlyList<JobImage> images, CancellationToken cancellation)
    {
        var kept = new HashSet<JobImage>();
        foreach (var image in images)
        {
            var path = $"{PathOf(image)}.json";
            if (BlobStores.IsPath(path) && await store.TryReadAsync(path, long.MaxValue, cancellation) is { } blob
                && JsonNode.Parse(blob.Content)?["job"]?.ToString() == job.Id)
                kept.Add(image);
        }
        return kept;
    }

    string PathOf(JobImage image) => job.Output + job.NameOf(image);
}
