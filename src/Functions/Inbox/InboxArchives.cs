using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using VaeFunctions.Registry;

namespace VaeFunctions.Serving;

/// <summary>Archives in the inbox. Each becomes a bulk job, which writes the results of its images and, at last, an answer for
/// the archive; so it is cut into slices, tried again and recovered as jobs are.</summary>
/// <remarks>jobs/_inbox/{model}/{name} holds the id of an archive's last job.</remarks>
public sealed class InboxArchives(JobStore jobs, JobQueue queue, IBlobStore store, IOptions<ServingOptions> options)
{
    /// <summary>How long a job waits that takes the place of another: until the other has noticed that it is over.</summary>
    static readonly TimeSpan handover = 2 * JobWatch.Pause;

    /// <summary>Starts the job of an archive; the same archive again starts no other.</summary>
    /// <param name="label">For conditional models, the label of its images.</param>
    /// <exception cref="RequestException">It cannot be read, or holds no images.</exception>
    public async Task StartAsync(BlobEntry archive, string model, string? label, CancellationToken cancellation)
    {
        await CheckAsync(archive, cancellation);
        var name = NameOf(archive.Path);
        var slice = options.Value.JobSliceSize;
        var job = new Job(
            IdOf(archive), model, "reconstruct", archive.Path, $"results/{name}/", label, slice, archive.Changed)
        {
            Dropped = new(archive.ETag, archive.Size),
        };
        var replaces = await CancelAsync(name, job.Id, cancellation);
        if (await jobs.FindAsync(model, job.Id, cancellation) is not null && await jobs.HasEndedAsync(job, cancellation))
            return;
        await store.WriteAsync(PointerOf(name), BinaryData.FromString(job.Id), cancellation: cancellation);
        await queue.StartAsync(job, jobs, cancellation, after: replaces ? handover : TimeSpan.Zero);
    }

    /// <summary>Ends the job of an archive whose name has other content now, and deletes its results.</summary>
    public async Task ForgetAsync(string name, CancellationToken cancellation)
    {
        if (!BlobStores.IsPath(PointerOf(name)))
            return; // a name that no job could have
        await CancelAsync(name, other: null, cancellation);
        await jobs.ClearAsync($"results/{name}/", cancellation);
    }

    async Task CheckAsync(BlobEntry archive, CancellationToken cancellation)
    {
        if (!BlobStores.IsPath(archive.Path, out var why))
            throw RequestException.Invalid($"Its name cannot be kept: {why}");
        var first = await ArchiveEntries.ListAsync(store, archive, options.Value.MaxBodyBytes, cancellation)
            .FirstOrDefaultAsync(cancellation)
            ?? throw RequestException.Invalid("There is no image in it; pack some.");
        if (first.Path == archive.Path)
            throw RequestException.Invalid(first.Refused!);
    }

    /// <summary>Cancels the job that an archive had, if it is another and still runs.</summary>
    async Task<bool> CancelAsync(string name, string? other, CancellationToken cancellation)
    {
        var id = (await store.TryReadAsync(PointerOf(name), 1000, cancellation))?.Content.ToString();
        if (id is null || id == other || await jobs.FindAsync(name.Split('/')[0], id, cancellation) is not { } earlier
            || await jobs.HasEndedAsync(earlier, cancellation))
            return false;
        await jobs.CancelAsync(earlier, cancellation);
        return true;
    }

    /// <summary>The same for the same content, whoever is told of it and however often.</summary>
    static string IdOf(BlobEntry archive) => $"{archive.Changed.UtcDateTime:yyyyMMdd't'HHmmss}-"
        + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{archive.Path} {archive.ETag}")))[..12];

    static string NameOf(string path) => path["inbox/".Length..];

    static string PointerOf(string name) => $"jobs/_inbox/{name}";
}
