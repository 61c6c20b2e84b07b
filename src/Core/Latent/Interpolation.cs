using System.Numerics.Tensors;

namespace VaeFunctions.Latent;

/// <summary>How the way from one latent vector to the next is gone.</summary>
public enum InterpolationKind
{
    /// <summary>In a straight line.</summary>
    Lerp,

    /// <summary>Along the great circle, so that lengths stay those that the prior makes likely.</summary>
    Slerp,
}

/// <summary>Ways between latent vectors of length L.</summary>
public static class Interpolation
{
    /// <summary>(1 − t) · from + t · to</summary>
    public static float[] Lerp(ReadOnlySpan<float> from, ReadOnlySpan<float> to, float t) => Mix(from, 1 - t, to, t);

    /// <summary>sin((1 − t) ω) / sin ω · from + sin(t ω) / sin ω · to, where ω is the angle between them. (Shoemake 1985; for
    /// latents White 2016)</summary>
    /// <remarks>Where the angle is 0 or 180°, or one is the origin, there is no single great circle, and the way is
    /// straight.</remarks>
    public static float[] Slerp(ReadOnlySpan<float> from, ReadOnlySpan<float> to, float t)
    {
        var lengths = (double)TensorPrimitives.Norm(from) * TensorPrimitives.Norm(to);
        var angle = lengths > 0 ? Math.Acos(Math.Clamp(TensorPrimitives.Dot(from, to) / lengths, -1, 1)) : 0;
        var sine = Math.Sin(angle);
        return sine < 1e-4
            ? Lerp(from, to, t)
            : Mix(from, (float)(Math.Sin((1 - t) * angle) / sine), to, (float)(Math.Sin(t * angle) / sine));
    }

    /// <summary>All stops in turn with equal steps between each two, both ends included.</summary>
    /// <param name="stops">Two or more vectors of one length.</param>
    /// <param name="steps">Vectors from one stop to the next, both counted; at least 2. The result has (stops − 1) · (steps − 1)
    /// + 1.</param>
    /// <exception cref="ArgumentException">Fewer than two stops or steps, or stops of different lengths.</exception>
    public static float[][] Path(IReadOnlyList<float[]> stops, int steps, InterpolationKind kind)
    {
        ArgumentNullException.ThrowIfNull(stops);
        if (stops.Count < 2 || steps < 2)
            throw new ArgumentException(
                $"Interpolation: there are {stops.Count} stops and {steps} steps; at least 2 of each make a way.");
        if (stops.FirstOrDefault(stop => stop.Length != stops[0].Length) is { } odd)
            throw new ArgumentException($"Interpolation: the first stop has {stops[0].Length} latents and another "
                + $"{odd.Length}; they must be of one length.");
        var path = new List<float[]> { stops[0] };
        for (var i = 1; i < stops.Count; i++)
        {
            for (var step = 1; step < steps; step++)
            {
                var t = step / (steps - 1f);
                path.Add(kind == InterpolationKind.Lerp ? Lerp(stops[i - 1], stops[i], t) : Slerp(stops[i - 1], stops[i], t));
            }
        }
        return [.. path];
    }

    static float[] Mix(ReadOnlySpan<float> left, float a, ReadOnlySpan<float> right, float b)
    {
        if (left.Length != right.Length)
            throw new ArgumentException(
                $"Interpolation: one end has {left.Length} latents and the other {right.Length}; they must be of one length.");
        var mixed = new float[left.Length];
        for (var i = 0; i < mixed.Length; i++) mixed[i] = a * left[i] + b * right[i];
        return mixed;
    }
}
