using MathNet.Numerics.LinearAlgebra;

namespace VaeFunctions.Evaluation;

/// <summary>How far apart two sets of vectors lie, each taken for a Gaussian: |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½). (Fréchet
/// 1957; Heusel et al. 2017, equation 6, with features of a network of their own)</summary>
/// <remarks>It depends on the network and falls with the number of vectors: only distances of as many, by one network,
/// compare.</remarks>
public static class FrechetDistance
{
    /// <param name="first">[count, columns], row by row; at least two rows.</param>
    /// <param name="second">As <paramref name="first"/>, of any count.</param>
    /// <exception cref="ArgumentException">There are fewer than two rows.</exception>
    public static double Of(float[] first, float[] second, int columns)
    {
        var (mean1, covariance1) = Moments(first, columns);
        var (mean2, covariance2) = Moments(second, columns);
        // Σ₁ Σ₂ has the eigenvalues of Σ₁^½ Σ₂ Σ₁^½, which is symmetric; rounding may make the smallest negative.
        var root = Root(covariance1);
        var product = root * covariance2 * root;
        var trace = Symmetric(product).EigenValues.Sum(value => Math.Sqrt(Math.Max(0, value.Real)));
        return Math.Max(0, (mean1 - mean2).DotProduct(mean1 - mean2) + covariance1.Trace() + covariance2.Trace() - 2 * trace);
    }

    static (Vector<double> Mean, Matrix<double> Covariance) Moments(float[] rows, int columns)
    {
        var count = rows.Length / columns;
        if (count < 2) throw new ArgumentException($"FrechetDistance: there are {count} vectors; it takes two or more.");
        var matrix = Matrix<double>.Build.Dense(count, columns, (i, j) => rows[i * columns + j]);
        var mean = matrix.ColumnSums() / count;
        for (var i = 0; i < count; i++) matrix.SetRow(i, matrix.Row(i) - mean);
        return (mean, matrix.TransposeThisAndMultiply(matrix) / (count - 1));
    }

    /// <summary>The symmetric square root of a covariance.</summary>
    static Matrix<double> Root(Matrix<double> covariance)
    {
        var parts = Symmetric(covariance);
        var vectors = parts.EigenVectors;
        var scaled = vectors.MapIndexed((_, column, value) =>
            value * Math.Sqrt(Math.Max(0, parts.EigenValues[column].Real)));
        return scaled.TransposeAndMultiply(vectors);
    }

    static MathNet.Numerics.LinearAlgebra.Factorization.Evd<double> Symmetric(Matrix<double> matrix) =>
        ((matrix + matrix.Transpose()) / 2).Evd(Symmetricity.Symmetric);
}
