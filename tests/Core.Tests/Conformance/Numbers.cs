using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Conformance;

/// <summary>Values and their shape, of no back end: what goes into an operation, and what comes out.</summary>
public sealed record Numbers(float[] Values, Shape Shape)
{
    /// <summary>Everything that goes wrong in single precision: not a number, infinities, zeros, denormals, halves, the limits of
    /// exp.</summary>
    static readonly float[] special =
    [
        float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0f, -0f, float.Epsilon, -float.Epsilon, 1e-40f, -1e-40f,
        1.17549435e-38f, -1.17549435e-38f, float.MaxValue, -float.MaxValue, 1e30f, -1e30f, 1e10f, -1e10f, 16777217f, 8388609.5f,
        1f, -1f, 0.5f, -0.5f, 1.5f, -1.5f, 2.5f, -2.5f, 0.49999997f, 1e-4f, -1e-4f, 1e-8f, -1e-8f,
        10f, -10f, 17f, -17f, 20.5f, -20.5f, 40f, -40f, 88f, -86f, 89f, -104f, 710f, -710f,
    ];

    public static Numbers Of(float[] values, params ReadOnlySpan<int> axes) => new(values, new Shape(axes));

    /// <summary>Standard normal numbers, the same at every run.</summary>
    public static Numbers Gaussian(string purpose, params ReadOnlySpan<int> axes)
    {
        var shape = new Shape(axes);
        return new Numbers(new RandomStream(1, purpose).Gaussians(shape.Count), shape);
    }

    /// <summary>Numbers in [low, high), the same at every run.</summary>
    public static Numbers Uniform(string purpose, float low, float high, params ReadOnlySpan<int> axes)
    {
        var stream = new RandomStream(2, purpose);
        var shape = new Shape(axes);
        var values = new float[shape.Count];
        for (var i = 0; i < values.Length; i++) values[i] = (float)(low + (high - low) * stream.NextDouble());
        return new Numbers(values, shape);
    }

    /// <summary>The special values, each at every place modulo 16 or so, so that vector lanes and tails all meet each.</summary>
    public static Numbers Special()
    {
        var values = new float[special.Length * 17];
        for (var i = 0; i < values.Length; i++) values[i] = special[i % special.Length];
        return Of(values, values.Length);
    }

    /// <summary>Every special value against every other.</summary>
    public static (Numbers Left, Numbers Right) SpecialPairs() =>
        (Of(special, special.Length, 1), Of(special, 1, special.Length));

    public Numbers Absolute() => this with { Values = Array.ConvertAll(Values, Math.Abs) };
}
