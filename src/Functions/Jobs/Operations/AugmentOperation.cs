namespace VaeFunctions.Serving;

/// <summary>Variants of each image. Each image has a seed of its own, made of the job's and its name, so that its variants hang
/// on no other image; the HTTP function gives the same ones for it.</summary>
sealed class AugmentOperation : JobOperation
{
    public override string Name => "augment";

    public override Field[] Fields => [JobFields.Input, JobFields.Count, AugmentFunction.Spread, Field.Seed];

    public override Task<JobParameters> ReadAsync(ModelCall call, RequestLatents latents)
    {
        var count = call.Content.Whole(JobFields.Count with { Most = call.Options.MaxSampleCount }, 8);
        call.CheckAnswer(count);
        return Task.FromResult(new JobParameters
        {
            Count = count,
            Spread = (float)call.Content.Number(AugmentFunction.Spread, 1),
            Seed = call.Content.SeedOrRandom(),
        });
    }

    public override int ResultsOfEach(JobParameters parameters) => parameters.Count!.Value;

    public override async Task<JobMade[][]> RunAsync(
        Job job, ModelSession session, IReadOnlyList<JobInput> images, CancellationToken cancellation)
    {
        var given = job.Parameters;
        long[] seeds = [.. images.Select(image => SeedOf(job, image.Image))];
        var posterior = await EncodeAsync(job, session, images, cancellation);
        float[][][] latents = [.. posterior.Mean.Select((mean, i) =>
            AugmentFunction.Variants(session, mean, given.Count!.Value, given.Spread!.Value, seeds[i], image: 0))];
        return await DecodeAsync(job, session, images, latents, (i, _, result) => result with { Seed = seeds[i] }, cancellation);
    }

    /// <summary>As many bits as a seed may have.</summary>
    static long SeedOf(Job job, JobImage image) =>
        (long)(new RandomStream((ulong)job.Parameters.Seed!.Value, job.NameOf(image)).NextUInt64() >> 11);
}
