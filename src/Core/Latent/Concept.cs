using System.Numerics.Tensors;

namespace VaeFunctions.Latent;

/// <summary>A direction of the latent space that stands for something seen, such as glasses.</summary>
/// <param name="Mean">[L], the mean of the latents with it minus the mean of those without. (Radford et al. 2016)</param>
/// <param name="Logistic">[L], across the plane that parts them best, as long as the two means lie apart along it. It moves less
/// of what merely goes along. (Shen et al. 2020)</param>
/// <param name="Separability">The share of latents on the right side of that plane, each side counting the same; of latents that
/// did not choose the plane. ½ is chance; null where either side has too few to keep some back.</param>
/// <param name="Examples">How many latents it was made from.</param>
public sealed record Concept(string Name, float[] Mean, float[] Logistic, double? Separability, int Examples)
{
    /// <summary>Latents without it that are moved to find <see cref="Unit"/>, and how many of them have to arrive.</summary>
    const int Moved = 200, Arriving = 199;

    /// <summary>How many times <see cref="Mean"/> strength 1 is. Added once, the difference makes one mean into the other and
    /// leaves latents far from theirs short: this is the least multiple, in tenths up to 2, that takes 199 of 200 across, as the
    /// encoder sees their decoded images; 1 where that is not known, or none does.</summary>
    public float Unit { get; init; } = 1;

    /// <summary>The fewest latents of each side from which a fifth is kept back to judge.</summary>
    public const int EnoughToJudge = 20;

    /// <summary>Finds a concept from latents of images with and without it.</summary>
    /// <param name="again">Latents to those of the images that they decode to; only with it <see cref="Unit"/> is found.</param>
    /// <exception cref="ArgumentException">One side is empty, or the lengths differ.</exception>
    public static Concept Find(
        string name, IReadOnlyList<float[]> with, IReadOnlyList<float[]> without, Func<float[][], float[][]>? again = null)
    {
        ArgumentNullException.ThrowIfNull(with);
        ArgumentNullException.ThrowIfNull(without);
        if (with is [] || without is [])
            throw new ArgumentException($"Concept {name}: there are {with.Count} examples with it and {without.Count} "
                + "without; at least one of each is needed.");
        var mean = Arithmetic.Sum([(1, Arithmetic.Mean(with)), (-1, Arithmetic.Mean(without))]);
        var plane = LogisticPlane.Fit(with, without);
        var length = TensorPrimitives.Dot(plane.Normal, plane.Normal);
        var logistic = length > 0 ? Arithmetic.Sum([(TensorPrimitives.Dot(mean, plane.Normal) / length, plane.Normal)]) : mean;
        var unit = again is null ? 1 : FindUnit([.. without.Take(Moved)], mean, plane, again);
        return new(name, mean, logistic, Judge(with, without), with.Count + without.Count) { Unit = unit };
    }

    static float FindUnit(float[][] without, float[] mean, LogisticPlane plane, Func<float[][], float[][]> again)
    {
        var (least, most) = (10, 21); // in tenths; the farther, the more arrive
        while (least < most)
        {
            var tenths = (least + most) / 2;
            var moved = again([.. without.Select(latent => Arithmetic.Sum([(1, latent), (tenths / 10f, mean)]))]);
            if (moved.Count(latent => plane.Side(latent) > 0) * Moved >= Arriving * without.Length) most = tenths;
            else least = tenths + 1;
        }
        return least <= 20 ? least / 10f : 1;
    }

    static double? Judge(IReadOnlyList<float[]> with, IReadOnlyList<float[]> without)
    {
        // The plane parts a handful of latents that chose it without error, whatever they are.
        if (Math.Min(with.Count, without.Count) < EnoughToJudge) return null;
        return LogisticPlane.Fit(Part(with, kept: false), Part(without, kept: false))
            .Accuracy(Part(with, kept: true), Part(without, kept: true));

        static List<float[]> Part(IReadOnlyList<float[]> latents, bool kept) => [.. latents.Where((_, i) => i % 5 == 4 == kept)];
    }
}

/// <summary>w · z + b, positive on the one side: logistic regression with a little weight decay, both sides weighing the
/// same.</summary>
public sealed record LogisticPlane(float[] Normal, float Offset)
{
    const int Steps = 300;
    const float WeightDecay = 1e-3f;

    /// <summary>Fits by gradient descent with momentum on latents scaled to unit variance. (Nesterov 1983)</summary>
    public static LogisticPlane Fit(IReadOnlyList<float[]> positive, IReadOnlyList<float[]> negative)
    {
        var length = positive[0].Length;
        var (centre, scale) = Statistics([.. positive, .. negative]);
        (float[] Latent, float Sign, float Weight)[] examples =
        [
            .. positive.Select(latent => (Standardised(latent), 1f, 0.5f / positive.Count)),
            .. negative.Select(latent => (Standardised(latent), -1f, 0.5f / negative.Count)),
        ];
        // A quarter of the mean squared length bounds the curvature, the offset's 1 included.
        var rate = 1 / (0.25f * (1 + examples.Sum(example => example.Weight * TensorPrimitives.SumOfSquares(example.Latent)))
            + WeightDecay);
        float[] weights = new float[length], ahead = new float[length];
        float offset = 0, offsetAhead = 0;
        for (var step = 0; step < Steps; step++)
        {
            var gradient = new float[length];
            float offsetGradient = 0;
            foreach (var (latent, sign, weight) in examples)
            {
                var pull = -sign * weight / (1 + MathF.Exp(sign * (TensorPrimitives.Dot(latent, ahead) + offsetAhead)));
                TensorPrimitives.MultiplyAdd(latent, pull, gradient, gradient);
                offsetGradient += pull;
            }
            var momentum = step / (step + 3f);
            for (var i = 0; i < length; i++)
            {
                var next = ahead[i] - rate * (gradient[i] + WeightDecay * ahead[i]);
                (ahead[i], weights[i]) = (next + momentum * (next - weights[i]), next);
            }
            var nextOffset = offsetAhead - rate * offsetGradient;
            (offsetAhead, offset) = (nextOffset + momentum * (nextOffset - offset), nextOffset);
        }
        TensorPrimitives.Divide(weights, scale, weights);
        return new(weights, offset - TensorPrimitives.Dot(weights, centre));

        float[] Standardised(float[] latent) => [.. latent.Select((value, i) => (value - centre[i]) / scale[i])];
    }

    /// <summary>The share on the right side, the mean of both sides' shares.</summary>
    public double Accuracy(IReadOnlyList<float[]> positive, IReadOnlyList<float[]> negative) =>
        0.5 * positive.Count(latent => Side(latent) > 0) / positive.Count
            + 0.5 * negative.Count(latent => Side(latent) <= 0) / negative.Count;

    /// <summary>w · z + b</summary>
    public float Side(ReadOnlySpan<float> latent) => TensorPrimitives.Dot(Normal, latent) + Offset;

    static (float[] Centre, float[] Scale) Statistics(IReadOnlyList<float[]> latents)
    {
        var centre = Arithmetic.Mean(latents);
        var variance = new double[centre.Length];
        foreach (var latent in latents)
            for (var i = 0; i < variance.Length; i++)
                variance[i] += (double)(latent[i] - centre[i]) * (latent[i] - centre[i]) / latents.Count;
        return (centre, [.. variance.Select(value => (float)Math.Sqrt(value + 1e-8))]);
    }
}
