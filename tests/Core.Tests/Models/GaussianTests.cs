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
        Assert.Equal([0, 0.5f, 2], Of([0, 1, 2], [0, 0, 0]).KlToStandardNormal().ToArray());
    }

    [Fact]
    public void The_log_ratio_of_a_draw_is_the_difference_of_the_two_log_densities()
    {
        // z = 1 + 2 · 0.5 = 2 with σ = 2: log N(2; 1, 4) − log N(2; 0, 1) = −½ · 0.25 − log 2 + ½ · 4
        Assert.Equal(
            -0.125 - Math.Log(2) + 2, Of([1], [MathF.Log(4)]).LogRatio(backend.FromValues([0.5f], new(1, 1))).ToScalar(), 1e-6);
    }

    [Fact]
    public void The_divergence_is_the_mean_of_the_log_ratio()
    {
        const int draws = 40_000;
        var some = Of([0.3f, -2], [0.5f, -1]);
        var mean = some.Repeat(draws)
            .LogRatio(backend.FromValues(new RandomStream(1, "draws").Gaussians(2 * draws), new(draws, 2))).Sum()
                .ToScalar() / draws;
        Assert.Equal(some.KlToStandardNormal().Sum().ToScalar(), mean, 0.03);
    }
}
