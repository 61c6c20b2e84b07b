using VaeFunctions.Autograd;
using VaeFunctions.Models;
using VaeFunctions.Reference;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Models;

public sealed class GaussianTests
{
    readonly ReferenceBackend backend = new();

    Gaussian Of(float[] mean, float[] logVariance) =>
        new(backend.FromValues(mean, new(1, mean.Length)), backend.FromValues(logVariance, new(1, mean.Length)));

    [Fact]
    public void The_divergence_to_the_prior_is_what_the_formula_says()
    {
        // ½ (μ² + σ² − 1 − log σ²): for μ = 1, σ² = 1 it is ½; for μ = 0, σ² = e it is ½ (e − 2).
        Assert.Equal(0.5, Of([1], [0]).KlToStandardNormal().ToScalar(), 1e-6);
        Assert.Equal((Math.E - 2) / 2, Of([0], [1]).KlToStandardNormal().ToScalar(), 1e-6);
        Assert.Equal(0, Of([0, 0, 0], [0, 0, 0]).KlToStandardNormal().ToScalar(), 1e-6);
    }

    [Fact]
    public void The_divergence_between_two_Gaussians_is_what_the_formula_says()
    {
        // ½ (log σ₂² − log σ₁² + (σ₁² + (μ₁ − μ₂)²) / σ₂² − 1) with σ₁² = 1, σ₂² = e, μ₁ − μ₂ = 2: ½ (1 + 5 / e − 1)
        Assert.Equal(2.5 / Math.E, Of([3], [0]).KlTo(Of([1], [1])).ToScalar(), 1e-6);
        var some = Of([0.3f, -2], [0.5f, -1]);
        Assert.Equal(0, some.KlTo(some).ToScalar(), 1e-6);
        Assert.Equal(some.KlToStandardNormal().ToScalar(), some.KlTo(Of([0, 0], [0, 0])).ToScalar(), 1e-6);
    }

    [Fact]
    public void Its_gradients_pull_the_mean_over_and_the_variances_together()
    {
        // d/dμ₁ = (μ₁ − μ₂) / σ₂² = 2 / e;  d/d log σ₁² = ½ (σ₁² / σ₂² − 1) = ½ (1 / e − 1)
        var tape = new GradientTape(backend);
        var first = Of([3], [0]);
        Tensor mean = tape.Variable(first.Mean), logVariance = tape.Variable(first.LogVariance);
        var second = Of([1], [1]);
        var loss = new Gaussian(mean, logVariance).KlTo(new(tape.Variable(second.Mean), tape.Variable(second.LogVariance)));
        var gradients = tape.Backward(loss);
        Assert.Equal(2 / Math.E, gradients[mean]!.ToScalar(), 1e-6);
        Assert.Equal((1 / Math.E - 1) / 2, gradients[logVariance]!.ToScalar(), 1e-6);
    }
}
