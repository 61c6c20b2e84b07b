using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>The elementwise functions that System.Numerics.Tensors lacks. The others are its own.</summary>
static class UnaryOperations
{
    /// <summary>max(x, 0) + log(1 + e^−|x|): no overflow, and exact where the exponential vanishes.</summary>
    public static void Softplus(ReadOnlySpan<float> x, Span<float> y)
    {
        var i = 0;
        for (; i + Vector256<float>.Count <= x.Length; i += Vector256<float>.Count)
            Softplus(Vector256.Create(x[i..])).CopyTo(y[i..]);
        if (i == x.Length) return;
        Span<float> rest = stackalloc float[Vector256<float>.Count];
        rest.Clear();
        x[i..].CopyTo(rest);
        Softplus(Vector256.Create<float>(rest)).CopyTo(rest);
        rest[..(x.Length - i)].CopyTo(y[i..]);
    }

    static Vector256<float> Softplus(Vector256<float> x) =>
        Vector256.Max(x, Vector256<float>.Zero) + Log1p(Vector256.Exp(-Vector256.Abs(x)));

    /// <summary>log(1 + u) = log(w) · u / (w − 1) with w = 1 + u rounded, which cancels the rounding. (Kahan; Higham 2002,
    /// §1.14)</summary>
    internal static Vector256<float> Log1p(Vector256<float> u)
    {
        var w = Vector256<float>.One + u;
        return Vector256.ConditionalSelect(
            Vector256.Equals(w, Vector256<float>.One), u, Vector256.Log(w) * u / (w - Vector256<float>.One));
    }

    /// <summary>x · σ(x)</summary>
    public static void Silu(ReadOnlySpan<float> x, Span<float> y)
    {
        TensorPrimitives.Sigmoid(x, y);
        TensorPrimitives.Multiply(x, y, y);
    }

    /// <summary>gradient · σ · (1 + x · (1 − σ)), σ = σ(x).</summary>
    public static void SiluGradient(ReadOnlySpan<float> x, ReadOnlySpan<float> gradient, Span<float> y)
    {
        TensorPrimitives.Sigmoid(x, y);
        var i = 0;
        for (; i + Vector<float>.Count <= x.Length; i += Vector<float>.Count)
        {
            var sigmoid = new Vector<float>(y[i..]);
            var slope = sigmoid * (Vector<float>.One + new Vector<float>(x[i..]) * (Vector<float>.One - sigmoid));
            (new Vector<float>(gradient[i..]) * slope).CopyTo(y[i..]);
        }
        for (; i < x.Length; i++) y[i] = gradient[i] * y[i] * (1 + x[i] * (1 - y[i]));
    }

    /// <summary>x where x ≥ 0 or NaN, slope · x elsewhere.</summary>
    public static void LeakyRelu(ReadOnlySpan<float> x, float slope, Span<float> y)
    {
        var i = 0;
        for (; i + Vector<float>.Count <= x.Length; i += Vector<float>.Count)
        {
            var value = new Vector<float>(x[i..]);
            Vector.ConditionalSelect(Vector.LessThan(value, Vector<float>.Zero), value * slope, value).CopyTo(y[i..]);
        }
        for (; i < x.Length; i++) y[i] = x[i] < 0 ? x[i] * slope : x[i];
    }

    /// <summary>gradient where x &gt; 0, slope · gradient elsewhere.</summary>
    public static void ReluGradient(ReadOnlySpan<float> x, ReadOnlySpan<float> gradient, float slope, Span<float> y)
    {
        var i = 0;
        for (; i + Vector<float>.Count <= x.Length; i += Vector<float>.Count)
        {
            var value = new Vector<float>(gradient[i..]);
            Vector.ConditionalSelect(Vector.GreaterThan(new Vector<float>(x[i..]), Vector<float>.Zero), value, value * slope)
                .CopyTo(y[i..]);
        }
        for (; i < x.Length; i++) y[i] = x[i] > 0 ? gradient[i] : gradient[i] * slope;
    }

    /// <summary>gradient where low ≤ x ≤ high, 0 elsewhere.</summary>
    public static void ClipGradient(ReadOnlySpan<float> x, ReadOnlySpan<float> gradient, float low, float high, Span<float> y)
    {
        for (var i = 0; i < x.Length; i++) y[i] = x[i] >= low && x[i] <= high ? gradient[i] : 0;
    }
}
