namespace VaeFunctions.Models;

/// <summary>What Gaussians with full covariance need of lower triangular matrices.</summary>
public static class TriangularMatrix
{
    /// <summary>Replaces a symmetric matrix by the C of its C·Cᵀ, zeros above the diagonal. (Golub and Van Loan 2013, algorithm
    /// 4.2.1)</summary>
    /// <exception cref="ArithmeticException">The matrix is not positive definite.</exception>
    public static void Cholesky(double[,] a)
    {
        ArgumentNullException.ThrowIfNull(a);
        var size = a.GetLength(0);
        for (var column = 0; column < size; column++)
        {
            for (var row = column; row < size; row++)
            {
                var sum = a[row, column];
                for (var k = 0; k < column; k++) sum -= a[row, k] * a[column, k];
                if (row == column && !(sum > 0))
                    throw new ArithmeticException($"Cholesky: the matrix is not positive definite; place {row} has {sum} left.");
                a[row, column] = row == column ? Math.Sqrt(sum) : sum / a[column, column];
            }
            for (var row = 0; row < column; row++) a[row, column] = 0;
        }
    }

    /// <summary>Of a lower triangular matrix, by forward substitution.</summary>
    public static double[,] Inverse(double[,] lower)
    {
        ArgumentNullException.ThrowIfNull(lower);
        var size = lower.GetLength(0);
        var inverse = new double[size, size];
        for (var column = 0; column < size; column++)
        {
            for (var row = column; row < size; row++)
            {
                double sum = row == column ? 1 : 0;
                for (var k = column; k < row; k++) sum -= lower[row, k] * inverse[k, column];
                inverse[row, column] = sum / lower[row, row];
            }
        }
        return inverse;
    }
}
