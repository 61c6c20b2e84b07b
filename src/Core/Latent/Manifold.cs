namespace VaeFunctions.Latent;

/// <summary>A picture of the latent space along two axes: equal steps in probability under the prior. (Kingma and Welling 2014,
/// appendix A)</summary>
public static class Manifold
{
    /// <summary>n × n vectors, row by row: the first axis rises to the right, the second to the top, the other latents stay as
    /// they are.</summary>
    /// <param name="origin">[L], what the other latents are.</param>
    /// <returns>Along an axis Φ⁻¹((i + ½) / n), i from 0 to n − 1.</returns>
    /// <exception cref="ArgumentException">An axis is not one of the L, or both are the same.</exception>
    public static float[][] Grid(int n, float[] origin, int horizontal, int vertical)
    {
        ArgumentNullException.ThrowIfNull(origin);
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        if (horizontal == vertical || Math.Min(horizontal, vertical) < 0 || Math.Max(horizontal, vertical) >= origin.Length)
            throw new ArgumentException(
                $"Manifold: the axes are {horizontal} and {vertical}; give two different ones from 0 to {origin.Length - 1}.");
        var places = Places(n);
        return [.. Enumerable.Range(0, n * n).Select(i =>
        {
            var latent = (float[])origin.Clone();
            (latent[horizontal], latent[vertical]) = (places[i % n], places[n - 1 - i / n]);
            return latent;
        })];
    }

    /// <summary>The same along principal axes of training codes: n × n vectors around an origin, in equal steps of the
    /// probability that the codes' own spread gives.</summary>
    /// <param name="origin">[L]; the codes' mean unless given.</param>
    /// <exception cref="ArgumentException">There is no such axis, or both are the same.</exception>
    public static float[][] Grid(int n, PrincipalAxes axes, int horizontal, int vertical, float[]? origin = null)
    {
        ArgumentNullException.ThrowIfNull(axes);
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        if (horizontal == vertical || Math.Min(horizontal, vertical) < 0 || Math.Max(horizontal, vertical) >= axes.Axes.Length)
            throw new ArgumentException($"Manifold: the axes are {horizontal} and {vertical}; give two different ones from 0 to "
                + $"{axes.Axes.Length - 1}.");
        var places = Places(n);
        return [.. Enumerable.Range(0, n * n).Select(i =>
            axes.At([(horizontal, places[i % n]), (vertical, places[n - 1 - i / n])], origin))];
    }

    static float[] Places(int n) => [.. Enumerable.Range(0, n).Select(i => (float)InverseNormal((i + 0.5) / n))];

    /// <summary>Φ⁻¹(p): the standard normal's quantile, to about 1e-15. (Acklam's rational approximation and one step of
    /// Halley's)</summary>
    /// <param name="p">0 to 1, the ends giving −∞ and ∞.</param>
    public static double InverseNormal(double p)
    {
        if (p is < 0 or > 1 || double.IsNaN(p))
            throw new ArgumentOutOfRangeException(nameof(p), p, "A probability lies between 0 and 1.");
        if (p == 0) return double.NegativeInfinity;
        if (p == 1) return double.PositiveInfinity;
        if (p > 0.5) return -InverseNormal(1 - p);
        const double Tail = 0.02425;
        double x;
        if (p < Tail)
        {
            var q = Math.Sqrt(-2 * Math.Log(p));
            x = Polynomial(q, -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00, -2.549732539343734e+00,
                4.374664141464968e+00, 2.938163982698783e+00)
                / Polynomial(q, 7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00, 1);
        }
        else
        {
            var q = p - 0.5;
            x = q * Polynomial(q * q, -3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02,
                1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00)
                / Polynomial(q * q, -5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01,
                    -1.328068155288572e+01, 1);
        }
        var error = (Normal(x) - p) * Math.Sqrt(2 * Math.PI) * Math.Exp(x * x / 2);
        return double.IsFinite(error) ? x - error / (1 + x * error / 2) : x;
    }

    /// <summary>Φ(x) = erfc(−x / √2) / 2 for x ≤ 0, by the continued fraction far out and the series near.</summary>
    public static double Normal(double x)
    {
        if (x > 0) return 1 - Normal(-x);
        var density = Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
        if (x < -6)
        {
            double fraction = -x;
            for (var k = 60; k >= 1; k--) fraction = -x + k / fraction;
            return density / fraction;
        }
        double term = x, sum = x;
        for (var k = 3; Math.Abs(term) > 1e-18 * Math.Abs(sum); k += 2) sum += term *= x * x / k;
        return 0.5 + density * sum;
    }

    static double Polynomial(double x, params ReadOnlySpan<double> coefficients)
    {
        double value = 0;
        foreach (var coefficient in coefficients) value = value * x + coefficient;
        return value;
    }
}
