using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>The form of a <see cref="GaussianMixture"/>.</summary>
public sealed record GaussianMixtureOptions : LatentDensityOptions
{
    /// <summary>K, the number of Gaussians, at least 1.</summary>
    public required int Components { get; init; }

    /// <summary>D, the leading axes along which they differ; along the others all have one spread.</summary>
    public required int Rank { get; init; }

    private protected override LatentDensity Build(ParameterSet parameters) =>
        Components >= 1 && Rank >= 1 && Rank <= Latent
            ? new GaussianMixture(parameters, this)
            : throw new ModelOptionsException(
                $"A mixture has 1 component or more and 1 to {Latent} axes; {Components} and {Rank} were found.");
}

/// <summary>Σ wₖ N(μₖ, Cₖ·Cₖᵀ) along D axes and N(0, s²) along the others: latent = m + Σ axis · y. One component is a Gaussian
/// with full covariance.</summary>
public sealed class GaussianMixture : LatentDensity
{
    readonly int components, rank, others;
    readonly Parameter mean, axes, upTo, means, factors, inverses, offsets, constants, spread;

    public GaussianMixture(ParameterSet parameters, GaussianMixtureOptions options)
        : base(parameters, options)
    {
        (components, rank, others) = (options.Components, options.Rank, options.Latent - options.Rank);
        var scope = parameters.Root;
        mean = scope.Statistic("mean", new(LatentSize), 0);
        axes = scope.Statistic("axes", new(LatentSize, LatentSize), 0);
        upTo = scope.Statistic("up_to", new(components), 1);
        means = scope.Statistic("means", new(components, rank), 0);
        factors = scope.Statistic("factors", new(components * rank, rank), 0);
        inverses = scope.Statistic("inverses", new(components * rank, rank), 0);
        offsets = scope.Statistic("offsets", new(components * rank), 0);
        constants = scope.Statistic("constants", new(components), 0);
        spread = scope.Statistic("spread", new(Math.Max(1, others)), 1);
    }

    public override Tensor Draw(Tensor noise, Tensor choice)
    {
        var backend = noise.Backend;
        var chosen = Chosen(choice);
        var all = backend.MatMul(noise.Slice(1, 0, rank), Of(factors), transposeRight: true).Reshape(0, components, rank);
        var leading = (all * chosen.Reshape(0, components, 1)).Sum(1) + chosen.MatMul(Of(means));
        var y = others == 0 ? leading : backend.Concat(1, leading, noise.Slice(1, rank, others) * Of(spread));
        return y.MatMul(Of(axes)) + Of(mean);

        Tensor Of(Parameter parameter) => backend.FromParameter(parameter);

        // The component up to whose cumulated weight the choice does not reach: [N] → [N, K], 1 at it and 0 elsewhere. Numbers in
        // single precision differ by more than 1e-9 or not at all, so that what is beyond a weight becomes exactly 1.
        Tensor Chosen(Tensor uniform) =>
            ((uniform.Reshape(0, 1) - Of(upTo)) * 1e9f + 0.5f).Clip(0, 1).Round().Sum(1).OneHot(components);
    }

    public override Tensor LogDensity(Tensor latent)
    {
        var backend = latent.Backend;
        var y = backend.MatMul(latent - Of(mean), Of(axes), transposeRight: true);
        var whitened = (backend.MatMul(y.Slice(1, 0, rank), Of(inverses), transposeRight: true) - Of(offsets))
            .Reshape(0, components, rank);
        var log = ((whitened * whitened).Sum(2) * -0.5f + Of(constants)).LogSumExp().Sum(1);
        if (others == 0) return log;
        var rest = y.Slice(1, rank, others) / Of(spread);
        return log - (rest * rest).Sum(1) * 0.5f;

        Tensor Of(Parameter parameter) => backend.FromParameter(parameter);
    }

    /// <summary>Takes the numbers of a mixture that was fitted.</summary>
    /// <param name="centre">m, [L].</param>
    /// <param name="basis">[L, L], an orthonormal axis in each row.</param>
    /// <param name="parts">The components: wₖ, μₖ and Cₖ, lower triangular with a diagonal above 0.</param>
    /// <param name="rest">s, [L − D], above 0.</param>
    public void Assign(
        double[] centre, double[,] basis, IReadOnlyList<(double Weight, double[] Mean, double[,] Factor)> parts, double[] rest)
    {
        Set(mean, centre);
        Set(axes, basis.Cast<double>());
        var total = parts.Sum(part => part.Weight);
        // Beyond the last component there is nothing, whatever the weights' sum is rounded to.
        Set(upTo, parts.Select((_, k) => k == components - 1 ? 2 : parts.Take(k + 1).Sum(part => part.Weight) / total));
        Set(means, parts.SelectMany(part => part.Mean));
        Set(factors, parts.SelectMany(part => part.Factor.Cast<double>()));
        double[][,] inverted = [.. parts.Select(part => TriangularMatrix.Inverse(part.Factor))];
        Set(inverses, inverted.SelectMany(inverse => inverse.Cast<double>()));
        Set(offsets, parts.Zip(inverted).SelectMany(pair => Product(pair.Second, pair.First.Mean)));
        var common = -0.5 * LatentSize * Math.Log(2 * Math.PI) - rest.Sum(Math.Log);
        Set(constants, parts.Select(part => common + Math.Log(part.Weight / total)
            - Enumerable.Range(0, rank).Sum(i => Math.Log(part.Factor[i, i]))));
        Set(spread, others == 0 ? [1] : rest);

        double[] Product(double[,] matrix, double[] vector) =>
            [.. Enumerable.Range(0, rank).Select(i => Enumerable.Range(0, rank).Sum(j => matrix[i, j] * vector[j]))];
    }
}
