using System.Numerics.Tensors;

namespace VaeFunctions.Latent;

/// <summary>"With glasses" − "without" + "a woman": sums of latent vectors. (Mikolov et al. 2013; for images Radford et al. 2016,
/// section 6.3.2)</summary>
public static class Arithmetic
{
    /// <summary>Σ weight · vector</summary>
    /// <exception cref="ArgumentException">There is no term, or their lengths differ.</exception>
    public static float[] Sum(IReadOnlyList<(float Weight, float[] Vector)> terms)
    {
        ArgumentNullException.ThrowIfNull(terms);
        if (terms is []) throw new ArgumentException("Arithmetic: there is no term to add up.");
        var sum = new float[terms[0].Vector.Length];
        foreach (var (weight, vector) in terms)
        {
            if (vector.Length != sum.Length)
                throw new ArgumentException(
                    $"Arithmetic: a term has {vector.Length} latents and the first {sum.Length}; they must be of one length.");
            TensorPrimitives.MultiplyAdd(vector, weight, sum, sum);
        }
        return sum;
    }

    /// <summary>The mean of some vectors of one length.</summary>
    public static float[] Mean(IReadOnlyList<float[]> vectors) =>
        Sum([.. vectors.Select(vector => (1f / vectors.Count, vector))]);
}
