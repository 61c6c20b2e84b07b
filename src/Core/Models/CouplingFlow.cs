using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>The form of a <see cref="CouplingFlow"/>.</summary>
public sealed record CouplingFlowOptions : LatentDensityOptions
{
    /// <summary>The number of coupling layers, at least 1.</summary>
    public int Couplings { get; init; } = 6;

    /// <summary>Units of the two hidden layers of each.</summary>
    public required int Hidden { get; init; }

    private protected override LatentDensity Build(ParameterSet parameters) =>
        Latent >= 2 && Couplings >= 1 && Hidden >= 1
            ? new CouplingFlow(parameters, this)
            : throw new ModelOptionsException("A flow has 1 coupling or more over at least 2 latents, with 1 hidden unit or "
                + $"more; {Couplings}, {Latent} and {Hidden} were found.");
}

/// <summary>A normalizing flow: an affine map that whitens the codes, then couplings between orders that are drawn once, each of
/// which scales and shifts one half of a vector by what the other half says. Both ways have a closed form. (Dinh,
/// Sohl-Dickstein and Bengio 2017, "Density estimation using Real NVP", §3)</summary>
public sealed class CouplingFlow : LatentDensity
{
    readonly Parameter mean, whiten, colour, logDeterminant;
    readonly Parameter[] orders;
    readonly Coupling[] couplings;

    public CouplingFlow(ParameterSet parameters, CouplingFlowOptions options)
        : base(parameters, options)
    {
        var scope = parameters.Root;
        mean = scope.Statistic("mean", new(LatentSize), 0);
        whiten = scope.Statistic("whiten", new(LatentSize, LatentSize), 0);
        colour = scope.Statistic("colour", new(LatentSize, LatentSize), 0);
        logDeterminant = scope.Statistic("log_determinant", Shape.Scalar, 0);
        orders = [.. Enumerable.Range(0, options.Couplings)
            .Select(i => scope.Statistic($"order.{i}", new(LatentSize, LatentSize), Permutation(LatentSize)))];
        couplings = [.. Enumerable.Range(0, options.Couplings)
            .Select(i => new Coupling(scope / "coupling" / i, LatentSize, options.Hidden))];
    }

    public override Tensor Draw(Tensor noise, Tensor choice)
    {
        var backend = noise.Backend;
        var x = noise;
        foreach (var (order, coupling) in orders.Zip(couplings).Reverse())
            x = backend.MatMul(coupling.FromNoise(x), backend.FromParameter(order), transposeRight: true);
        return x.MatMul(backend.FromParameter(colour)) + backend.FromParameter(mean);
    }

    public override Tensor LogDensity(Tensor latent)
    {
        var backend = latent.Backend;
        var x = (latent - backend.FromParameter(mean)).MatMul(backend.FromParameter(whiten));
        var log = backend.FromParameter(logDeterminant) - 0.5f * LatentSize * MathF.Log(2 * MathF.PI);
        foreach (var (order, coupling) in orders.Zip(couplings))
        {
            (x, var logScale) = coupling.ToNoise(x.MatMul(backend.FromParameter(order)));
            log -= logScale;
        }
        return log - (x * x).Sum(1) * 0.5f;
    }

    /// <summary>Takes the map between latents and what is white: latent = centre + Σ deviation · axis · y.</summary>
    /// <param name="centre">[L]</param>
    /// <param name="axes">[L, L], an orthonormal axis in each row.</param>
    /// <param name="deviations">[L], above 0.</param>
    public void Whiten(double[] centre, double[,] axes, double[] deviations)
    {
        Set(mean, centre);
        Set(whiten, Matrix((row, column) => axes[column, row] / deviations[column]));
        Set(colour, Matrix((row, column) => axes[row, column] * deviations[row]));
        Set(logDeterminant, [-deviations.Sum(Math.Log)]);

        IEnumerable<double> Matrix(Func<int, int, double> value) =>
            Enumerable.Range(0, LatentSize * LatentSize).Select(i => value(i / LatentSize, i % LatentSize));
    }

    static Initializer Permutation(int size) => (random, count) =>
    {
        var matrix = new float[count];
        foreach (var (to, from) in random.Permutation(size).Index()) matrix[from * size + to] = 1;
        return matrix;
    };

    /// <summary>(a, b) ↔ (a, (b − t(a)) · e^−s(a)): s stays in (−2, 2), so that no step can tear the space.</summary>
    sealed class Coupling
    {
        const float LargestLogScale = 2;

        readonly int kept, moved;
        readonly Sequential hidden;
        readonly Parameter weight, bias;

        public Coupling(Scope scope, int size, int units)
        {
            (kept, moved) = (size - size / 2, size / 2);
            hidden = new(scope,
                Layers.Build.Linear(kept, units), Layers.Build.Relu,
                Layers.Build.Linear(units, units), Layers.Build.Relu);
            // At first it changes nothing.
            weight = scope.Weight("weight", new(2 * moved, units), Initializers.Constant(0));
            bias = scope.Weight("bias", new(2 * moved), Initializers.Constant(0));
        }

        public Tensor FromNoise(Tensor x)
        {
            var (logScale, shift) = Of(x);
            return x.Backend.Concat(1, x.Slice(1, 0, kept), x.Slice(1, kept, moved) * logScale.Exp() + shift);
        }

        /// <summary>The vectors, [N, L], and Σ s, [N].</summary>
        public (Tensor Noise, Tensor LogScale) ToNoise(Tensor x)
        {
            var (logScale, shift) = Of(x);
            return (x.Backend.Concat(1, x.Slice(1, 0, kept), (x.Slice(1, kept, moved) - shift) * (-logScale).Exp()),
                logScale.Sum(1));
        }

        (Tensor LogScale, Tensor Shift) Of(Tensor x)
        {
            var backend = x.Backend;
            var both = backend.Linear(
                hidden.Forward(x.Slice(1, 0, kept)), backend.FromParameter(weight), backend.FromParameter(bias));
            return ((both.Slice(1, 0, moved) * (1 / LargestLogScale)).Tanh() * LargestLogScale, both.Slice(1, moved, moved));
        }
    }
}
