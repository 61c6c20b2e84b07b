using VaeFunctions.Tensors;

namespace VaeFunctions.Layers;

/// <summary>Draws a parameter's first values.</summary>
public delegate float[] Initializer(RandomStream random, int count);

/// <summary>The usual ways to begin.</summary>
public static class Initializers
{
    public static Initializer Constant(float value) => (_, count) => [.. Enumerable.Repeat(value, count)];

    /// <summary>Uniform in ±1/√fan-in, with which PyTorch starts linear layers and convolutions, weights and biases alike.</summary>
    public static Initializer FanIn(int fanIn)
    {
        var bound = 1 / Math.Sqrt(fanIn);
        return (random, count) =>
        {
            var values = new float[count];
            for (var i = 0; i < count; i++) values[i] = (float)((2 * random.NextDouble() - 1) * bound);
            return values;
        };
    }
}
