using VaeFunctions.Registry;

namespace VaeFunctions.Latent;

/// <summary>Where the codes of training images lie, all together: their mean, and the axes along which they vary most.</summary>
/// <param name="Mean">[L]</param>
/// <param name="Axes">Of length 1, [L] each, at right angles to one another, the one with the most spread first.</param>
/// <param name="Deviations">The standard deviation along each axis, the posteriors' own spread included.</param>
public sealed record PrincipalAxes(float[] Mean, float[][] Axes, float[] Deviations)
{
    /// <summary>The file of a version that holds them.</summary>
    public const string FileName = "axes.safetensors";

    /// <summary>How many axes a version keeps, at most.</summary>
    public const int Most = 64;

    /// <summary>The axes of N(0, I), for versions from before axes were published.</summary>
    public static PrincipalAxes OfStandardNormal(int latentSize) => new(
        new float[latentSize],
        [.. Enumerable.Range(0, Math.Min(latentSize, Most)).Select(axis => Unit(latentSize, axis))],
        [.. Enumerable.Repeat(1f, Math.Min(latentSize, Most))]);

    /// <summary>The mean, displaced along axes by so many of their standard deviations.</summary>
    /// <param name="origin">Takes the place of the mean; [L].</param>
    public float[] At(IEnumerable<(int Axis, float Deviations)> steps, float[]? origin = null) => Arithmetic.Sum(
        [(1, origin ?? Mean), .. steps.Select(step => (step.Deviations * Deviations[step.Axis], Axes[step.Axis]))]);

    /// <summary>A code that strays from another as the training codes stray from one another, so that their spread stays what it
    /// was: m + (z − m + s · δ) / √(1 + s²), δ drawn from the Gaussian along the axes.</summary>
    /// <param name="latent">z, [L].</param>
    /// <param name="spread">s: 0 is the code itself, and the larger it is, the less is left of it.</param>
    public float[] Vary(float[] latent, float spread, RandomStream random)
    {
        var strayed = At(Axes.Select((_, axis) => (axis, spread * random.NextGaussian())), latent);
        var shrink = 1 / MathF.Sqrt(1 + spread * spread);
        return [.. strayed.Zip(Mean, (z, m) => spread == 0 ? z : m + (z - m) * shrink)];
    }

    public BinaryData Write() => Safetensors.Write(
    [
        new("mean", new(Mean.Length), Mean),
        new("axes", new(Axes.Length, Mean.Length), [.. Axes.SelectMany(axis => axis)]),
        new("deviations", new(Deviations.Length), Deviations),
    ]);

    /// <exception cref="ModelFormatException">It holds no axes of latents of this length.</exception>
    public static PrincipalAxes Read(BinaryData content, int latentSize)
    {
        try
        {
            var file = Safetensors.Read(content);
            float[] mean = file.GetFloats("mean"), axes = file.GetFloats("axes"), deviations = file.GetFloats("deviations");
            if (mean.Length != latentSize || deviations.Length == 0 || axes.Length != deviations.Length * latentSize
                || !mean.Concat(axes).Concat(deviations).All(float.IsFinite))
                throw new ModelFormatException($"{FileName} has a mean of {mean.Length} numbers and {deviations.Length} axes of "
                    + $"{axes.Length} in all; finite ones for {latentSize} latents were expected.");
            return new(mean, [.. axes.Chunk(latentSize)], deviations);
        }
        catch (CheckpointException fault)
        {
            throw new ModelFormatException($"{FileName} cannot be read: {fault.Message}", fault);
        }
    }

    static float[] Unit(int size, int place)
    {
        var unit = new float[size];
        unit[place] = 1;
        return unit;
    }
}
