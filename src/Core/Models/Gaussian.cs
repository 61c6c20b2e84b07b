using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>A diagonal Gaussian per row: mean and log σ², [N, L] each. The logarithm keeps every value a valid
/// variance.</summary>
public sealed record Gaussian(Tensor Mean, Tensor LogVariance)
{
    /// <summary>log σ² of a code that has no spread: as good as a point, and finite.</summary>
    const float NoSpread = -20;

    /// <summary>What an encoder without noise gives: the code itself.</summary>
    public static Gaussian Point(Tensor mean) => new(mean, mean * 0 + NoSpread);

    /// <summary>μ + σ · noise, the reparametrisation that lets gradients through. (Kingma and Welling 2014, §2.4)</summary>
    /// <param name="noise">[N, L], standard normal.</param>
    public Tensor Sample(Tensor noise) => Mean + (LogVariance * 0.5f).Exp() * noise;

    /// <summary>KL(this ‖ N(0, I)) = ½ (μ² + σ² − 1 − log σ²) of each latent, in nats: [N, L]. (Kingma and Welling 2014, appendix
    /// B)</summary>
    public Tensor KlToStandardNormal() => (Mean * Mean + LogVariance.Exp() - 1 - LogVariance) * 0.5f;

    /// <summary>log q(z) − log N(z; 0, I) = ½ Σ (z² − noise² − log σ²) at z = <see cref="Sample"/>(noise), in nats:
    /// [N].</summary>
    public Tensor LogRatio(Tensor noise)
    {
        var z = Sample(noise);
        return (z * z - noise * noise - LogVariance).SumPerImage() * 0.5f;
    }

    /// <summary>Each row a number of times in succession.</summary>
    public Gaussian Repeat(int times) => times == 1 ? this : new(Mean.Repeat(times), LogVariance.Repeat(times));
}
