namespace VaeFunctions.Serving;

/// <summary>Each image with more or less of some concepts, which are looked up once, when the job begins.</summary>
sealed class EditOperation : JobOperation
{
    public override string Name => "edit";

    public override Field[] Fields =>
        [JobFields.Input, EditFunction.Concepts, EditFunction.Strengths, Field.Examples, Field.Direction];

    public override async Task<JobParameters> ReadAsync(ModelCall call, RequestLatents latents)
    {
        var strengths = call.Content.Numbers(EditFunction.Strengths, call.Options.MaxSampleCount) ?? [1];
        call.CheckAnswer(strengths.Length);
        return new() { Strengths = strengths, Edit = await EditFunction.EditAsync(call, latents) };
    }

    public override int ResultsOfEach(JobParameters parameters) => parameters.Strengths!.Length;

    public override async Task<JobMade[][]> RunAsync(
        Job job, ModelSession session, IReadOnlyList<JobInput> images, CancellationToken cancellation)
    {
        var (edit, strengths) = (job.Parameters.Edit!, job.Parameters.Strengths!);
        var posterior = await EncodeAsync(job, session, images, cancellation);
        float[][][] latents = [.. posterior.Mean.Select(mean => EditFunction.Edited(mean, edit, strengths))];
        return await DecodeAsync(
            job, session, images, latents, (_, k, result) => result with { Strength = strengths[k] }, cancellation);
    }
}
