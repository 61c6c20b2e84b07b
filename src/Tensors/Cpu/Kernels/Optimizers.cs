using System.Numerics;
using VaeFunctions.Tensors;

namespace VaeFunctions.Cpu.Kernels;

/// <summary>The optimizers' steps in one pass over memory, which is what bounds them.</summary>
static class Optimizers
{
    /// <summary>m ← β₁m + (1 − β₁)g;  v ← β₂v + (1 − β₂)g²;  θ ← θ − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)</summary>
    public static void Adam(
        Span<float> parameter, ReadOnlySpan<float> gradient, Span<float> mean, Span<float> square, AdamOptions options, int step)
    {
        float keepMean = options.Beta1, keepSquare = options.Beta2;
        var rate = (float)(options.LearningRate / (1 - Math.Pow(options.Beta1, step)));
        var correction = (float)(1 / Math.Sqrt(1 - Math.Pow(options.Beta2, step)));
        var i = 0;
        for (; i + Vector<float>.Count <= parameter.Length; i += Vector<float>.Count)
        {
            var g = new Vector<float>(gradient[i..]);
            var m = new Vector<float>(mean[i..]) * keepMean + g * (1 - keepMean);
            var v = new Vector<float>(square[i..]) * keepSquare + g * g * (1 - keepSquare);
            m.CopyTo(mean[i..]);
            v.CopyTo(square[i..]);
            var change = m * rate / (Vector.SquareRoot(v) * correction + new Vector<float>(options.Epsilon));
            (new Vector<float>(parameter[i..]) - change).CopyTo(parameter[i..]);
        }
        for (; i < parameter.Length; i++)
        {
            var g = gradient[i];
            var m = mean[i] = mean[i] * keepMean + g * (1 - keepMean);
            var v = square[i] = square[i] * keepSquare + g * g * (1 - keepSquare);
            parameter[i] -= m * rate / (MathF.Sqrt(v) * correction + options.Epsilon);
        }
    }

    /// <summary>v ← ρv + (1 − ρ)g²;  θ ← θ − η · g / (√v + ε)</summary>
    public static void RmsProp(Span<float> parameter, ReadOnlySpan<float> gradient, Span<float> square, RmsPropOptions options)
    {
        var i = 0;
        for (; i + Vector<float>.Count <= parameter.Length; i += Vector<float>.Count)
        {
            var g = new Vector<float>(gradient[i..]);
            var v = new Vector<float>(square[i..]) * options.Decay + g * g * (1 - options.Decay);
            v.CopyTo(square[i..]);
            var change = g * options.LearningRate / (Vector.SquareRoot(v) + new Vector<float>(options.Epsilon));
            (new Vector<float>(parameter[i..]) - change).CopyTo(parameter[i..]);
        }
        for (; i < parameter.Length; i++)
        {
            var g = gradient[i];
            var v = square[i] = square[i] * options.Decay + g * g * (1 - options.Decay);
            parameter[i] -= g * options.LearningRate / (MathF.Sqrt(v) + options.Epsilon);
        }
    }
}
