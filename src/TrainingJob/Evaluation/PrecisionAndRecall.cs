using System.Numerics.Tensors;

namespace VaeFunctions.Evaluation;

/// <summary>Which part of the drawn images lies among the real ones, and which part of the real ones among those drawn.
/// (Kynkäänniemi et al. 2019, "Improved precision and recall metric for assessing generative models", equations 1, 2)</summary>
/// <param name="Precision">From 0 to 1: whether what is drawn looks real.</param>
/// <param name="Recall">From 0 to 1: whether all that is real is drawn.</param>
public sealed record PrecisionAndRecall(double Precision, double Recall)
{
    /// <summary>A vector's neighbourhood reaches as far as this neighbour of its own set, the third.</summary>
    public const int Neighbour = 3;

    /// <param name="real">[count, columns], row by row; more rows than <see cref="Neighbour"/>.</param>
    /// <param name="drawn">As <paramref name="real"/>, best of as many rows.</param>
    public static PrecisionAndRecall Of(float[] real, float[] drawn, int columns) =>
        new(PartWithin(drawn, real, columns), PartWithin(real, drawn, columns));

    /// <summary>Which part of some vectors lies in the neighbourhood of any of the others.</summary>
    static double PartWithin(float[] vectors, float[] others, int columns)
    {
        var count = others.Length / columns;
        if (count <= Neighbour)
            throw new ArgumentException($"PrecisionAndRecall: there are {count} vectors; it takes more than {Neighbour}.");
        var reach = new float[count];
        Parallel.For(0, count, i =>
        {
            var distances = Distances(others.AsSpan(i * columns, columns), others, columns);
            Array.Sort(distances);
            reach[i] = distances[Neighbour]; // the first is the vector itself
        });
        var within = new bool[vectors.Length / columns];
        Parallel.For(0, within.Length, i =>
        {
            var distances = Distances(vectors.AsSpan(i * columns, columns), others, columns);
            for (var j = 0; j < count && !within[i]; j++) within[i] = distances[j] <= reach[j];
        });
        return within.Count(inside => inside) / (double)within.Length;
    }

    static float[] Distances(ReadOnlySpan<float> vector, float[] others, int columns)
    {
        var distances = new float[others.Length / columns];
        for (var j = 0; j < distances.Length; j++)
            distances[j] = TensorPrimitives.Distance(vector, others.AsSpan(j * columns, columns));
        return distances;
    }
}
