using System.Text;

namespace VaeFunctions;

/// <summary>A stream of random numbers that is a function of its name alone: seed, purpose and index.</summary>
/// <remarks>
/// SplitMix64 (Steele, Lea and Flood 2014). Every epoch's shuffle and every step's noise has a stream of its own, so a
/// resumed run needs no generator state, and the numbers do not change with the framework's version.
/// </remarks>
public sealed class RandomStream
{
    ulong state;

    public RandomStream(ulong seed, string purpose, ulong index = 0)
    {
        var name = 14695981039346656037ul; // FNV-1a
        foreach (var letter in Encoding.UTF8.GetBytes(purpose)) name = (name ^ letter) * 1099511628211ul;
        state = Mix(Mix(Mix(seed) ^ name) + index);
    }

    public ulong NextUInt64() => Mix(state += 0x9E3779B97F4A7C15ul);

    /// <summary>Uniform in [0, 1).</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1ul << 53));

    /// <summary>Uniform in [0, <paramref name="exclusiveMax"/>); the bias of the multiplication is below 2⁻³².</summary>
    public int NextInt(int exclusiveMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(exclusiveMax);
        return (int)(((NextUInt64() >> 32) * (ulong)exclusiveMax) >> 32);
    }

    /// <summary>Standard normal, by Box and Muller.</summary>
    public float NextGaussian() =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble()));

    public float[] Gaussians(int count)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++) values[i] = NextGaussian();
        return values;
    }

    /// <summary>The numbers below <paramref name="count"/> in random order, by Fisher and Yates.</summary>
    public int[] Permutation(int count)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++)
        {
            var j = NextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }

    static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ul;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBul;
        return z ^ (z >> 31);
    }
}
