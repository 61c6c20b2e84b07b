using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>A diagonal Gaussian per row: mean and log σ², [N, L] each. The logarithm keeps every value a valid variance.</summary>
public sealed record Gaussian(Tensor Mean, Tensor LogVariance)
{
    /// <summary>μ + σ · noise, the reparametrisation that lets gradients through. (Kingma and Welling 2014, §2.4)</summary>
    /// <param name="noise">[N, L], standard normal.</param>
    public Tensor Sample(Tensor noise) => Mean + (LogVariance * 0.5f).Exp() * noise;

    /// <summary>Σ KL(this ‖ N(0, I)) = ½ Σ (μ² + σ² − 1 − log σ²), in nats. (Kingma and Welling 2014, appendix B)</summary>
    public Tensor KlToStandardNormal() => (Mean * Mean + LogVariance.Exp() - 1 - LogVariance).Sum() * 0.5f;

    /// <summary>Σ KL(this ‖ other) = ½ Σ (log σ₂² − log σ₁² + (σ₁² + (μ₁ − μ₂)²) / σ₂² − 1), in nats.</summary>
    public Tensor KlTo(Gaussian other)
    {
        var distance = Mean - other.Mean;
        var ratio = (LogVariance.Exp() + distance * distance) / other.LogVariance.Exp();
        return (other.LogVariance - LogVariance + ratio - 1).Sum() * 0.5f;
    }
}
