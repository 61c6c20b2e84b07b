using System.Text.Json.Serialization;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>Which distribution is fitted to an autoencoder's codes.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(GaussianPriorOptions), "gaussian")]
public abstract record CodePriorOptions;

/// <summary>One Gaussian with full covariance. (Ghosh et al. 2020, "From variational to deterministic autoencoders",
/// §4)</summary>
public sealed record GaussianPriorOptions : CodePriorOptions;

/// <summary>The Gaussian N(m, C·Cᵀ) of a model's codes, through which they are shown whitened: code = m + C · latent, latent ~
/// N(0, I).</summary>
sealed class CodePrior(Scope scope, int size)
{
    readonly Parameter mean = scope.Statistic("mean", new(size), 0);
    readonly Parameter factor = scope.Statistic("factor", new(size, size), Identity(size));
    readonly Parameter inverse = scope.Statistic("inverse", new(size, size), Identity(size));

    /// <summary>C⁻¹ · (code − m): [N, L] → [N, L]</summary>
    public Tensor Whiten(Tensor code)
    {
        var backend = code.Backend;
        return backend.MatMul(code - backend.FromParameter(mean), backend.FromParameter(inverse), transposeRight: true);
    }

    /// <summary>m + C · latent: [N, L] → [N, L]</summary>
    public Tensor Colour(Tensor latent)
    {
        var backend = latent.Backend;
        return backend.Linear(latent, backend.FromParameter(factor), backend.FromParameter(mean));
    }

    /// <summary>Takes mean and covariance of these codes, [N, L]. A little is added to the variances, for units that never
    /// speak.</summary>
    public void Fit(Tensor codes)
    {
        const double ridge = 1e-6;
        var values = codes.ToArray();
        int count = codes.Shape[0];
        var m = new double[size];
        for (var i = 0; i < values.Length; i++) m[i % size] += (double)values[i] / count;
        var c = new double[size, size];
        for (var row = 0; row < size; row++)
        {
            for (var column = 0; column <= row; column++)
            {
                double sum = row == column ? ridge * count : 0;
                for (var n = 0; n < count; n++)
                    sum += (values[n * size + row] - m[row]) * (values[n * size + column] - m[column]);
                c[row, column] = sum / count;
            }
        }
        TriangularMatrix.Cholesky(c);
        Assign(mean, Array.ConvertAll(m, value => (float)value));
        Assign(factor, Flat(c));
        Assign(inverse, Flat(TriangularMatrix.Inverse(c)));

        void Assign(Parameter parameter, float[] to)
        {
            var backend = (ITrainingBackend)parameter.Value.Backend;
            backend.Assign(parameter.Value, backend.FromValues(to, parameter.Shape));
        }
    }

    static float[] Flat(double[,] lower)
    {
        var size = lower.GetLength(0);
        var flat = new float[size * size];
        for (var row = 0; row < size; row++)
            for (var column = 0; column <= row; column++)
                flat[row * size + column] = (float)lower[row, column];
        return flat;
    }

    static Initializer Identity(int size) =>
        (_, count) => [.. Enumerable.Range(0, count).Select(i => i % (size + 1) == 0 ? 1f : 0f)];
}
