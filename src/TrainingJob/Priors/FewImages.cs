using MathNet.Numerics;
using MathNet.Numerics.LinearAlgebra;
using VaeFunctions.Latent;

namespace VaeFunctions.Priors;

/// <summary>Principal axes of codes that are longer than they are many: those of the images' products with one another, which
/// are as many as images, give those of the latents. (Sirovich 1987)</summary>
static class FewImages
{
    /// <summary>Images that are looked at.</summary>
    public const int Most = 512;

    public static PrincipalAxes Axes(Codes codes)
    {
        Control.UseSingleThread(); // the same sums in the same order on any machine
        var (count, size) = (codes.Count, codes.Latents);
        var mean = new double[size];
        for (var i = 0; i < codes.Means.Length; i++) mean[i % size] += (double)codes.Means[i] / count;
        var centred = Matrix<double>.Build.Dense(count, size, (row, i) => codes.Mean(row)[i] - mean[i]);
        var evd = centred.TransposeAndMultiply(centred).Evd(Symmetricity.Symmetric);

        List<(float[] Axis, float Deviation)> axes = [];
        for (var k = count - 1; k >= 0 && axes.Count < PrincipalAxes.Most; k--)
        {
            var value = evd.EigenValues[k].Real;
            if (value <= 1e-9 * Math.Max(evd.EigenValues[count - 1].Real, 1e-12)) break;
            var axis = centred.TransposeThisAndMultiply(evd.EigenVectors.Column(k)) / Math.Sqrt(value);
            var sign = Math.Sign(axis[axis.AbsoluteMaximumIndex()]);
            axes.Add(([.. axis.Select(number => (float)(sign * number))], (float)Math.Sqrt(value / count)));
        }
        if (axes.Count == 0) // one image, or all alike
            return PrincipalAxes.OfStandardNormal(size) with { Mean = [.. mean.Select(value => (float)value)] };
        return new(
            [.. mean.Select(value => (float)value)],
            [.. axes.Select(pair => pair.Axis)],
            [.. axes.Select(pair => pair.Deviation)]);
    }
}
