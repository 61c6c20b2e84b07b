using VaeFunctions.Imaging;

namespace VaeFunctions.Serving;

/// <summary>What a bulk job makes of images. The same job gives the same results of an image however often, by whichever process
/// and with whichever others it is done.</summary>
abstract class JobOperation
{
    static readonly JobOperation[] all =
    [
        new ReconstructOperation("reconstruct"), new ReconstructOperation("encode"), new ReconstructOperation("anomaly"),
        new AugmentOperation(), new EditOperation(), new SampleOperation(),
    ];

    public static IEnumerable<string> Names => all.Select(operation => operation.Name);

    public static JobOperation Of(string name) => all.First(operation => operation.Name == name);

    public abstract string Name { get; }

    /// <summary>What a request may give it, beside where the results go, the label and the version.</summary>
    public abstract Field[] Fields { get; }

    /// <summary>Whether it works on images of an input, or makes its own.</summary>
    public bool TakesImages => Fields.Contains(JobFields.Input);

    /// <summary>Whether all of a job is done by one version: latents that were found or drawn for one mean nothing to
    /// another.</summary>
    public virtual bool HoldsVersion => true;

    /// <summary>Reads what a request gives it.</summary>
    /// <exception cref="RequestException">Something is wrong with that, or the model cannot do it.</exception>
    public abstract Task<JobParameters> ReadAsync(ModelCall call, RequestLatents latents);

    /// <summary>How many results an image has.</summary>
    public virtual int ResultsOfEach(JobParameters parameters) => 1;

    /// <summary>The results of some images, each in its order.</summary>
    /// <exception cref="RequestException">One of the images cannot be processed.</exception>
    /// <exception cref="OverloadedException">Too many images of others wait already.</exception>
    public abstract Task<JobMade[][]> RunAsync(
        Job job, ModelSession session, IReadOnlyList<JobInput> images, CancellationToken cancellation);

    /// <summary>The job's label for each of some images; null where the model takes none.</summary>
    protected static long[]? Labels(Job job, ModelSession session, int count) =>
        session.Conditional ? [.. Enumerable.Repeat(session.LabelNamed(job.Label ?? ""), count)] : null;

    /// <summary>The posterior of each of some images.</summary>
    protected static Task<Posterior> EncodeAsync(
        Job job, ModelSession session, IReadOnlyList<JobInput> images, CancellationToken cancellation) => session.EncodeAsync(
            [.. images.Select(image => image.Fitted!)], Labels(job, session, images.Count), cancellation);

    /// <summary>Images of latents that were made of each image, and what is said of them.</summary>
    protected static async Task<JobMade[][]> DecodeAsync(
        Job job, ModelSession session, IReadOnlyList<JobInput> images, float[][][] latents,
        Func<int, int, JobResult, JobResult> say, CancellationToken cancellation)
    {
        float[][] all = [.. latents.SelectMany(ofOne => ofOne)];
        var pictures = new Queue<Image>(await session.DecodeAsync(all, Labels(job, session, all.Length), cancellation));
        return [.. latents.Select((ofOne, i) => ofOne.Select((latent, k) =>
        {
            var result = JobResult.Of(job, images[i], session) with { Label = job.Label, Latent = latent };
            return new JobMade(say(i, k, result), pictures.Dequeue());
        }).ToArray())];
    }
}

/// <summary>An image for an operation.</summary>
/// <param name="Number">Its place among the job's images.</param>
/// <param name="Fitted">What was read of it; null where the operation makes its own images.</param>
sealed record JobInput(long Number, JobImage Image, FittedImage? Fitted);

/// <summary>A result: what is said of it, and the picture, where there is one.</summary>
sealed record JobMade(JobResult Result, Image? Picture);
