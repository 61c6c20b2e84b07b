using VaeFunctions.Imaging;
using VaeFunctions.Latent;

namespace VaeFunctions.Serving;

/// <summary>reconstruct, encode and anomaly: images on the way through their latents and back, and what the difference
/// means.</summary>
sealed class ReconstructOperation(string name) : JobOperation
{
    public override string Name => name;

    public override Field[] Fields => [JobFields.Input];

    public override bool HoldsVersion => false;

    public override Task<JobParameters> ReadAsync(ModelCall call, RequestLatents latents) => Task.FromResult(new JobParameters());

    public override async Task<JobMade[][]> RunAsync(
        Job job, ModelSession session, IReadOnlyList<JobInput> images, CancellationToken cancellation)
    {
        var all = await Reconstruction.OfAsync([.. images.Select(image => image.Fitted!)], Labels(job, session, images.Count),
            session, cancellation, judged: true);
        return [.. all.Select((made, i) => (JobMade[])[new(Say(job, images[i], made, session), PictureOf(made))])];
    }

    Image? PictureOf(Reconstruction made) => name switch
    {
        "reconstruct" => made.Image,
        "anomaly" => Anomaly.HeatMap(made.Original.Image, made.Image),
        _ => null,
    };

    JobResult Say(Job job, JobInput image, Reconstruction made, ModelSession session)
    {
        var judgement = Judgement.Of(made, session);
        return JobResult.Of(job, image, session) with
        {
            Error = made.Error,
            Percentile = judgement.Percentile,
            CodeScore = made.Surprise,
            CodePercentile = judgement.CodePercentile,
            Verdict = judgement.Verdict,
            Strangest = judgement.Strangest,
            CalibratedOn = session.CalibratedOn,
            Latent = name == "anomaly" ? null : made.Mean,
            LogVariance = name == "encode" ? made.LogVariance : null,
        };
    }
}
