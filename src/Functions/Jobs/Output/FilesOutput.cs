using System.Text.Json.Nodes;
using VaeFunctions.Imaging;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Files for each result, beside each other: name.png and name.json.</summary>
sealed class FilesOutput(Job job, IBlobStore store) : JobOutput
{
    /// <summary>The JSON comes last: where it is, the result is complete, and with an image's last result all of them.</summary>
    public override async Task AddAsync(JobInput image, JobMade[] results, CancellationToken cancellation)
    {
        (string Path, JobMade Made)[] all = [.. PathsOf(image.Image).Zip(results)];
        await Parallel.ForEachAsync(all[..^1],
            new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = cancellation },
            async (one, _) => await WriteAsync(one.Path, one.Made, cancellation));
        await WriteAsync(all[^1].Path, all[^1].Made, cancellation);
    }

    async Task WriteAsync(string path, JobMade made, CancellationToken cancellation)
    {
        if (made.Picture is not null)
            await store.WriteAsync($"{path}.png", new BinaryData(ImageCodec.EncodePng(made.Picture)), cancellation: cancellation);
        await store.WriteAsync($"{path}.json", Answers.Document(made.Result), cancellation: cancellation);
    }

    /// <summary>An image that failed has no result, not even one that an earlier job with this output left.</summary>
    public override Task CompleteAsync(IReadOnlyList<JobImage> failed, CancellationToken cancellation) =>
        Parallel.ForEachAsync(failed, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellation },
            async (image, _) =>
            {
                foreach (var path in PathsOf(image).SelectMany(path => (string[])[$"{path}.json", $"{path}.png"]))
                {
                    if (BlobStores.IsPath(path))
                        await store.DeleteAsync(path, cancellation);
                }
            });

    public override async Task<IReadOnlySet<JobImage>> GiveUpAsync(IReadOnlyList<JobImage> images, CancellationToken cancellation)
    {
        var kept = new HashSet<JobImage>();
        foreach (var image in images)
        {
            var path = $"{PathsOf(image).Last()}.json";
            if (BlobStores.IsPath(path) && await store.TryReadAsync(path, long.MaxValue, cancellation) is { } blob
                && JsonNode.Parse(blob.Content)?["job"]?.ToString() == job.Id)
                kept.Add(image);
        }
        return kept;
    }

    IEnumerable<string> PathsOf(JobImage image) => job.NamesOf(image).Select(name => job.Output + name);
}
