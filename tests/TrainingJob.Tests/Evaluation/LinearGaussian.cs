using VaeFunctions.Cpu;
using VaeFunctions.Models;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Evaluation;

/// <summary>z ~ N(0, 1) and two pixels x = (z, z) / √2 + noise of variance ½, so that p(x) is known: with s = (x₁ + x₂) / √2 and
/// d = (x₁ − x₂) / √2 it is N(s; 0, 3/2) · N(d; 0, 1/2), and p(z | x) = N(2s/3, 1/3).</summary>
sealed class LinearGaussian : Vae
{
    readonly float gain, logVariance;

    LinearGaussian(ParameterSet parameters, ModelOptions options, float gain, float logVariance)
        : base(parameters, options) => (this.gain, this.logVariance) = (gain, logVariance);

    /// <param name="gain">The posterior's mean is gain · s; 2/3 is right.</param>
    /// <param name="variance">The posterior's; 1/3 is right.</param>
    public static LinearGaussian Of(float gain, float variance) => new(new(new CpuBackend(1), 0),
        new MlpVaeOptions
        {
            Image = new(1, 2, 1),
            Hidden = [1],
            Latent = 1,
            Likelihood = new SquaredErrorOptions { Low = -2, High = 3 }
        }, gain, MathF.Log(variance));

    /// <summary>−log p(x) without the constant of a Gaussian of variance ½ in two dimensions, log π, which the likelihood leaves
    /// out.</summary>
    public static double Exact(double x1, double x2)
    {
        double s = (x1 + x2) / Math.Sqrt(2), d = (x1 - x2) / Math.Sqrt(2);
        return s * s / 3 + 0.5 * Math.Log(2 * Math.PI * 1.5) + d * d + 0.5 * Math.Log(Math.PI) - Math.Log(Math.PI);
    }

    public override Gaussian Encode(Tensor images, Tensor? condition = null)
    {
        var sum = images.Flatten().Sum(1).Reshape(-1, 1) * MathF.Sqrt(0.5f);
        return new(sum * gain, sum * 0 + logVariance);
    }

    public override Tensor Decode(Tensor latent, Tensor? condition = null) =>
        latent.Backend.Concat(1, latent, latent).Reshape(0, 1, 1, 2) * MathF.Sqrt(0.5f);
}
