using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Priors;

/// <summary>Fits Gaussians to codes: one, or as many as k-means finds groups.</summary>
/// <remarks>Covariances are drawn towards the one within all groups, or are it, so that a group of few codes does not claim
/// directions that it has not seen; and that one towards the same variance in all directions, the more the fewer codes there
/// are for their latents. The posteriors' mean variance is added to each.</remarks>
static class MixtureFit
{
    /// <summary>The leading axes along which the components of a mixture differ.</summary>
    const int MostAxes = 256;

    /// <summary>The leading axes on which the groups are found.</summary>
    const int GroupedAxes = 32;

    const int MostComponents = 24, CodesPerComponent = 50, Rounds = 50;

    /// <summary>A group of so many codes weighs its own covariance as much as that within all groups.</summary>
    const double Shrinkage = 128;

    /// <summary>How many components so many codes make; 1 is the Gaussian.</summary>
    public static int ComponentsFor(int codes) => Math.Clamp(codes / CodesPerComponent, 1, MostComponents);

    /// <param name="tied">Whether all components have one covariance and differ in their means alone.</param>
    public static GaussianMixture Fit(
        Codes codes, CodeStatistics statistics, int components, bool tied, ulong seed, ITrainingBackend backend)
    {
        var size = codes.Latents;
        var rank = Math.Min(size, MostAxes);
        var coordinates = statistics.Coordinates(codes, rank);
        var groups = Groups(coordinates, components, Math.Min(rank, GroupedAxes), new RandomStream(seed, "groups of codes"));
        double[][] means = [.. groups.Select(group => Mean(coordinates, group, rank))];
        double[][,] scatter = new double[groups.Count][,];
        Parallel.For(0, groups.Count, k => scatter[k] = Scatter(coordinates, groups[k], means[k]));
        var within = WithinGroups(coordinates, groups, means, scatter);
        var noise = statistics.NoiseAlongAxes(rank);
        var ridge = CodeStatistics.Ridge * statistics.Deviations.Average(deviation => deviation * deviation) + 1e-12;

        var parts = groups.Select((group, k) =>
        {
            var own = tied ? 0 : group.Count / (group.Count + Shrinkage);
            var covariance = new double[rank, rank];
            for (var row = 0; row < rank; row++)
            {
                for (var column = 0; column < rank; column++)
                {
                    covariance[row, column] = noise[row, column] + (row == column ? ridge : 0)
                        + own * scatter[k][row, column] / group.Count
                        + (1 - own) * within[row, column];
                }
            }
            TriangularMatrix.Cholesky(covariance);
            return ((double)group.Count, means[k], covariance);
        }).ToList();
        var options = new GaussianMixtureOptions { Latent = size, Components = groups.Count, Rank = rank };
        var mixture = (GaussianMixture)options.Build(backend);
        mixture.Assign(statistics.Mean, statistics.Axes, parts, statistics.Deviations[rank..]);
        return mixture;
    }

    /// <summary>(1 − α) S + α μ I of the covariance S within all groups, whose mean variance is μ, with the α that is nearest to
    /// the true covariance on the average. (Ledoit and Wolf 2004)</summary>
    static double[,] WithinGroups(double[][] points, List<List<int>> groups, double[][] means, double[][,] scatter)
    {
        var (count, size) = (points.Length, means[0].Length);
        var within = new double[size, size];
        foreach (var all in scatter)
            for (var row = 0; row < size; row++)
                for (var column = 0; column < size; column++) within[row, column] += all[row, column] / count;
        var variance = Enumerable.Range(0, size).Average(i => within[i, i]);
        var (square, apart) = (0.0, 0.0); // ‖S‖², ‖S − μI‖²
        for (var row = 0; row < size; row++)
        {
            for (var column = 0; column < size; column++)
            {
                square += within[row, column] * within[row, column];
                apart += Math.Pow(within[row, column] - (row == column ? variance : 0), 2);
            }
        }
        // ‖xxᵀ − S‖², the mean over codes: how uncertain S is, once divided by their number.
        var spread = groups.SelectMany((group, k) => group.Select(i => Math.Pow(Distance(points[i], means[k], size), 2)))
            .Sum() / count - square;
        var alpha = apart > 0 ? Math.Clamp(spread / count / apart, 0, 1) : 0;
        for (var row = 0; row < size; row++)
            for (var column = 0; column < size; column++)
                within[row, column] = (1 - alpha) * within[row, column] + (row == column ? alpha * variance : 0);
        return within;
    }

    /// <summary>Lloyd's k-means from centres that lie apart; groups that end empty are left out. (Arthur and Vassilvitskii
    /// 2007)</summary>
    static List<List<int>> Groups(double[][] points, int count, int axes, RandomStream random)
    {
        if (count == 1) return [[.. Enumerable.Range(0, points.Length)]];
        var nearest = new int[points.Length];
        var centres = Apart(points, count, axes, random);
        for (var round = 0; round < Rounds; round++)
        {
            var moved = 0;
            Parallel.For(0, points.Length, i =>
            {
                var best = Nearest(points[i], centres, axes);
                if (best != nearest[i]) Interlocked.Increment(ref moved);
                nearest[i] = best;
            });
            if (round > 0 && moved == 0) break;
            foreach (var (k, group) in Members(nearest, count).Index())
                if (group.Count > 0) centres[k] = Mean(points, group, axes);
        }
        return [.. Members(nearest, count).Where(group => group.Count > 0)];
    }

    static double[][] Apart(double[][] points, int count, int axes, RandomStream random)
    {
        List<double[]> centres = [points[random.NextInt(points.Length)]];
        double[] distance = [.. points.Select(point => Distance(point, centres[0], axes))];
        while (centres.Count < count)
        {
            var (left, chosen) = (random.NextDouble() * distance.Sum(), 0);
            while (chosen < points.Length - 1 && (left -= distance[chosen]) > 0) chosen++;
            centres.Add(points[chosen]);
            for (var i = 0; i < points.Length; i++)
                distance[i] = Math.Min(distance[i], Distance(points[i], points[chosen], axes));
        }
        return [.. centres];
    }

    static int Nearest(double[] point, double[][] centres, int axes)
    {
        var (best, least) = (0, double.PositiveInfinity);
        for (var k = 0; k < centres.Length; k++)
        {
            var distance = Distance(point, centres[k], axes);
            if (distance < least) (best, least) = (k, distance);
        }
        return best;
    }

    static double Distance(double[] a, double[] b, int axes)
    {
        double sum = 0;
        for (var i = 0; i < axes; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
        return sum;
    }

    static List<int>[] Members(int[] nearest, int count)
    {
        List<int>[] members = [.. Enumerable.Range(0, count).Select(_ => new List<int>())];
        foreach (var (i, k) in nearest.Index()) members[k].Add(i);
        return members;
    }

    static double[] Mean(double[][] points, List<int> group, int axes)
    {
        var mean = new double[axes];
        foreach (var i in group)
            for (var axis = 0; axis < axes; axis++) mean[axis] += points[i][axis] / group.Count;
        return mean;
    }

    /// <summary>Σ (y − μ)(y − μ)ᵀ</summary>
    static double[,] Scatter(double[][] points, List<int> group, double[] mean)
    {
        var size = mean.Length;
        var (scatter, centred) = (new double[size, size], new double[size]);
        foreach (var i in group)
        {
            for (var axis = 0; axis < size; axis++) centred[axis] = points[i][axis] - mean[axis];
            for (var row = 0; row < size; row++)
                for (var column = 0; column <= row; column++) scatter[row, column] += centred[row] * centred[column];
        }
        for (var row = 0; row < size; row++)
            for (var column = 0; column < row; column++) scatter[column, row] = scatter[row, column];
        return scatter;
    }
}
