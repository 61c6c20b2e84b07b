using System.Numerics.Tensors;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;
using Tensor = VaeFunctions.Tensors.Tensor;

namespace VaeFunctions.Models;

/// <summary>K vectors of D numbers, each the moving average of the vectors that were nearest to it. (van den Oord, Vinyals and
/// Kavukcuoglu 2017, appendix A.1)</summary>
/// <remarks>It starts as the k-means of the first batch, and a code that hardly any vector is nearest to becomes one of the
/// batch's vectors, so that none is lost. (Dhariwal et al. 2020, "Jukebox", §3.1) What is random in that follows from the number
/// of steps. N = images, H, W = the grid, K = codes, D = depth.</remarks>
sealed class Codebook(Scope scope, int codes, int depth, float decay)
{
    /// <summary>Of the average use, below which a code is dead.</summary>
    const float Dead = 0.1f;

    const int KMeansRounds = 5;
    const int KMeansVectors = 8192;

    readonly Parameter vectors = scope.Statistic("vectors", new(codes, depth), Initializers.Normal(1));
    readonly Parameter counts = scope.Statistic("counts", new(codes), 1);
    readonly Parameter steps = scope.Counter("steps");

    /// <summary>The nearest code of each place: [N, D, H, W] → [N, H, W]. arg min |z − e|² = arg max z·e − ½|e|².</summary>
    public Tensor Nearest(Tensor z) => Nearest(z, z.Backend.FromParameter(vectors));

    /// <summary>The vectors of codes: [N, H, W] → [N, D, H, W].</summary>
    public Tensor Lookup(Tensor nearest) => Lookup(nearest, nearest.Backend.FromParameter(vectors));

    /// <summary>Quantises and learns: the codes taken, [N, H, W], and their vectors, [N, D, H, W]. No gradient flows through
    /// it.</summary>
    public (Tensor Codes, Tensor Vectors) Learn(Tensor z)
    {
        z = z.StopGradient();
        var backend = z.Backend;
        var step = backend.FromParameter(steps);
        var flat = z.Transpose(0, 2, 3, 1).Reshape(-1, depth); // [M, D]
        var book = step.ToScalar() == 0
            ? backend.FromValues(KMeans(flat.ToArray()), vectors.Shape)
            : backend.FromParameter(vectors);
        var nearest = Nearest(z, book);

        var taken = nearest.Reshape(-1).OneHot(codes); // [M, K]
        var count = taken.Sum(0);
        var sum = backend.MatMul(taken, flat, transposeLeft: true); // [K, D]
        // Before its first average a code has the weight of this batch's.
        var old = step.ToScalar() == 0 ? count : backend.FromParameter(counts);
        // at first the encoder changes faster than a long average could follow
        var keep = Math.Min(decay, (1 + step.ToScalar()) / (10 + step.ToScalar()));
        var newCounts = old * keep + count * (1 - keep);
        var sums = book * old.Reshape(-1, 1) * keep + sum * (1 - keep);
        var newVectors = sums / (newCounts + 1e-5f).Reshape(-1, 1);
        backend.Update(vectors, Revived(flat, newCounts, newVectors, (ulong)step.ToScalar()));
        backend.Update(counts, newCounts);
        backend.Update(steps, step + 1);
        return (nearest, Lookup(nearest, book));
    }

    /// <summary>The new averages with vectors of the batch in the place of dead codes, at every step until they are
    /// used.</summary>
    Tensor Revived(Tensor flat, Tensor newCounts, Tensor newVectors, ulong step)
    {
        var dead = Dead * flat.Shape[0] / codes;
        var count = newCounts.ToArray();
        if (Array.TrueForAll(count, value => value >= dead)) return newVectors;
        float[] batch = flat.ToArray(), values = newVectors.ToArray();
        var random = new RandomStream(1, "codes to revive", step);
        for (var code = 0; code < codes; code++)
        {
            if (count[code] < dead)
                batch.AsSpan(random.NextInt(flat.Shape[0]) * depth, depth).CopyTo(values.AsSpan(code * depth));
        }
        return flat.Backend.FromValues(values, vectors.Shape);
    }

    Tensor Nearest(Tensor z, Tensor book)
    {
        var backend = z.Backend;
        var half = (book * book).Sum(1) * -0.5f;
        var scores = backend.AddPerChannel(backend.Conv(z, book.Reshape(codes, depth, 1, 1), new(1)), half); // [N, K, H, W]
        return scores.Transpose(0, 2, 3, 1).ArgMax();
    }

    Tensor Lookup(Tensor nearest, Tensor book) =>
        nearest.Backend.Conv(
            nearest.OneHot(codes).Transpose(0, 3, 1, 2), book.Transpose(1, 0).Reshape(depth, codes, 1, 1), new(1));

    /// <summary>Lloyd's algorithm from vectors chosen at random.</summary>
    float[] KMeans(float[] flat)
    {
        var random = new RandomStream(1, "k-means");
        int[] chosen = [.. random.Permutation(flat.Length / depth).Take(KMeansVectors)];
        var centres = new float[codes * depth];
        for (var code = 0; code < codes; code++) Vector(chosen[code % chosen.Length]).CopyTo(centres.AsSpan(code * depth));
        for (var round = 0; round < KMeansRounds; round++)
        {
            var sums = new float[codes * depth];
            var members = new int[codes];
            foreach (var index in chosen)
            {
                var code = NearestTo(Vector(index));
                var sum = sums.AsSpan(code * depth, depth);
                TensorPrimitives.Add(sum, Vector(index), sum);
                members[code]++;
            }
            for (var code = 0; code < codes; code++)
            {
                if (members[code] > 0)
                    TensorPrimitives.Divide(sums.AsSpan(code * depth, depth), members[code], centres.AsSpan(code * depth, depth));
            }
        }
        return centres;

        ReadOnlySpan<float> Vector(int index) => flat.AsSpan(index * depth, depth);

        int NearestTo(ReadOnlySpan<float> vector)
        {
            var (nearest, least) = (0, float.PositiveInfinity);
            for (var code = 0; code < codes; code++)
            {
                var distance = TensorPrimitives.Distance(vector, centres.AsSpan(code * depth, depth));
                if (distance < least) (nearest, least) = (code, distance);
            }
            return nearest;
        }
    }
}
