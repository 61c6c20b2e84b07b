using System.Numerics.Tensors;

namespace VaeFunctions.Evaluation;

/// <summary>Standard normals by the billion: the pairs of Box and Muller, many at a time.</summary>
static class NormalNoise
{
    /// <summary>Numbers that share a random stream, so that what they are does not depend on the threads.</summary>
    const int Piece = 1 << 14;

    const int Pairs = 512;

    /// <param name="index">Another index, other noise.</param>
    public static void Fill(float[] values, ulong seed, string purpose, ulong index) =>
        Parallel.For(0, (values.Length + Piece - 1) / Piece, piece =>
            Fill(values.AsSpan(piece * Piece, Math.Min(Piece, values.Length - piece * Piece)),
                new(seed, $"{purpose} {index}", (ulong)piece)));

    /// <summary>√(−2 log u) · (cos 2πv, sin 2πv), u in (0, 1] and v in [0, 1) with 24 bits each.</summary>
    static void Fill(Span<float> values, RandomStream random)
    {
        const float unit = 1f / (1 << 24);
        Span<float> radius = stackalloc float[Pairs], angle = stackalloc float[Pairs];
        Span<float> sine = stackalloc float[Pairs], cosine = stackalloc float[Pairs];
        for (; values.Length > 0; values = values[Math.Min(values.Length, 2 * Pairs)..])
        {
            for (var i = 0; i < Pairs; i++)
            {
                var bits = random.NextUInt64();
                (radius[i], angle[i]) = (((bits >> 40) + 1) * unit, ((bits & 0xFFFFFF) << 1) * unit);
            }
            TensorPrimitives.Log(radius, radius);
            TensorPrimitives.Multiply(radius, -2, radius);
            TensorPrimitives.Sqrt(radius, radius);
            TensorPrimitives.SinCosPi<float>(angle, sine, cosine);
            TensorPrimitives.Multiply(radius, cosine, cosine);
            TensorPrimitives.Multiply(radius, sine, sine);
            var first = Math.Min(values.Length, Pairs);
            cosine[..first].CopyTo(values);
            sine[..Math.Min(values.Length - first, Pairs)].CopyTo(values[first..]);
        }
    }
}
