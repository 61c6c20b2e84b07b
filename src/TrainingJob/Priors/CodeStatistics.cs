using MathNet.Numerics;
using MathNet.Numerics.LinearAlgebra;
using VaeFunctions.Latent;

namespace VaeFunctions.Priors;

/// <summary>Mean and covariance of all draws from some posteriors, along the covariance's principal axes.</summary>
/// <param name="Mean">[L]</param>
/// <param name="Axes">[L, L], an axis in each row, the one along which codes vary most first; its largest number is above
/// 0.</param>
/// <param name="Deviations">[L], along each axis, above 0.</param>
/// <param name="Noise">[L], the mean variance of the posteriors in each latent.</param>
public sealed record CodeStatistics(double[] Mean, double[,] Axes, double[] Deviations, double[] Noise)
{
    /// <summary>What is added to the variances, as a part of their mean, for latents that never change.</summary>
    public const double Ridge = 1e-6;

    public static CodeStatistics Of(Codes codes)
    {
        Control.UseSingleThread(); // the same sums in the same order on any machine
        var (count, size) = (codes.Count, codes.Latents);
        var (mean, noise) = (new double[size], new double[size]);
        for (var i = 0; i < codes.Means.Length; i++)
        {
            mean[i % size] += (double)codes.Means[i] / count;
            noise[i % size] += (double)codes.Variances[i] / count;
        }
        var covariance = Covariance(codes, mean);
        var floor = Ridge * Enumerable.Range(0, size).Average(i => covariance[i, i] + noise[i]) + 1e-12;
        for (var i = 0; i < size; i++) covariance[i, i] += noise[i] + floor;

        var evd = Matrix<double>.Build.DenseOfArray(covariance).Evd(Symmetricity.Symmetric);
        var (axes, deviations) = (new double[size, size], new double[size]);
        for (var axis = 0; axis < size; axis++)
        {
            var vector = evd.EigenVectors.Column(size - 1 - axis); // they come in ascending order
            var sign = Math.Sign(vector[vector.AbsoluteMaximumIndex()]);
            for (var i = 0; i < size; i++) axes[axis, i] = sign * vector[i];
            deviations[axis] = Math.Sqrt(Math.Max(evd.EigenValues[size - 1 - axis].Real, floor));
        }
        return new(mean, axes, deviations, noise);
    }

    /// <summary>What a version keeps of them.</summary>
    public PrincipalAxes Leading(int most) => new(
        [.. Mean.Select(value => (float)value)],
        [.. Enumerable.Range(0, Math.Min(most, Mean.Length)).Select(axis =>
            Enumerable.Range(0, Mean.Length).Select(i => (float)Axes[axis, i]).ToArray())],
        [.. Deviations.Take(most).Select(value => (float)value)]);

    /// <summary>Along the leading axes: [count, rank].</summary>
    public double[][] Coordinates(Codes codes, int rank)
    {
        var coordinates = new double[codes.Count][];
        Parallel.For(0, codes.Count, row =>
        {
            var code = codes.Mean(row);
            var along = coordinates[row] = new double[rank];
            for (var axis = 0; axis < rank; axis++)
                for (var i = 0; i < code.Length; i++) along[axis] += Axes[axis, i] * (code[i] - Mean[i]);
        });
        return coordinates;
    }

    /// <summary>The covariance that the posteriors' mean variances have along the leading axes: [rank, rank].</summary>
    public double[,] NoiseAlongAxes(int rank)
    {
        var along = new double[rank, rank];
        for (var row = 0; row < rank; row++)
            for (var column = 0; column < rank; column++)
                for (var i = 0; i < Noise.Length; i++) along[row, column] += Axes[row, i] * Noise[i] * Axes[column, i];
        return along;
    }

    static double[,] Covariance(Codes codes, double[] mean)
    {
        var size = mean.Length;
        var covariance = new double[size, size];
        Parallel.For(0, size, row =>
        {
            for (var n = 0; n < codes.Count; n++)
            {
                var code = codes.Mean(n);
                var here = (code[row] - mean[row]) / codes.Count;
                for (var column = 0; column <= row; column++) covariance[row, column] += here * (code[column] - mean[column]);
            }
        });
        for (var row = 0; row < size; row++)
            for (var column = 0; column < row; column++) covariance[column, row] = covariance[row, column];
        return covariance;
    }
}
