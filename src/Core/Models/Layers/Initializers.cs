using System.Text.Json.Serialization;

namespace VaeFunctions.Models.Layers;

/// <summary>Draws a parameter's first values.</summary>
public delegate float[] Initializer(RandomStream random, int count);

/// <summary>The usual ways to begin.</summary>
public static class Initializers
{
    public static Initializer Constant(float value) => (_, count) => [.. Enumerable.Repeat(value, count)];

    /// <summary>Uniform in ±bound.</summary>
    public static Initializer Uniform(double bound) =>
        (random, count) => Draw(count, () => (2 * random.NextDouble() - 1) * bound);

    /// <summary>Normal with mean 0.</summary>
    public static Initializer Normal(double deviation) => (random, count) => Draw(count, () => random.NextGaussian() * deviation);

    static float[] Draw(int count, Func<double> next)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++) values[i] = (float)next();
        return values;
    }
}

/// <summary>How the weights and biases of linear layers and convolutions begin, from the numbers of values that go into and come
/// out of one place.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(FanInInitialization), "fan-in")]
[JsonDerivedType(typeof(GlorotInitialization), "glorot")]
[JsonDerivedType(typeof(NormalInitialization), "normal")]
public abstract record Initialization
{
    public static Initialization Default { get; } = new FanInInitialization();

    public abstract Initializer Weight(int fanIn, int fanOut);

    public virtual Initializer Bias(int fanIn) => Initializers.Constant(0);
}

/// <summary>Uniform in ±1/√fan-in, as PyTorch starts linear layers and convolutions, weights and biases alike.</summary>
public sealed record FanInInitialization : Initialization
{
    public override Initializer Weight(int fanIn, int fanOut) => Initializers.Uniform(1 / Math.Sqrt(fanIn));

    public override Initializer Bias(int fanIn) => Initializers.Uniform(1 / Math.Sqrt(fanIn));
}

/// <summary>Uniform in ±√(6 / (fan-in + fan-out)), biases 0, as Keras starts. (Glorot and Bengio 2010, equation 16)</summary>
public sealed record GlorotInitialization : Initialization
{
    public override Initializer Weight(int fanIn, int fanOut) => Initializers.Uniform(Math.Sqrt(6.0 / (fanIn + fanOut)));
}

/// <summary>Normal with mean 0, biases 0.</summary>
public sealed record NormalInitialization : Initialization
{
    /// <summary>Above 0.</summary>
    public float Deviation { get; init; } = 0.05f;

    public override Initializer Weight(int fanIn, int fanOut) => Deviation > 0 && float.IsFinite(Deviation)
        ? Initializers.Normal(Deviation)
        : throw new ModelOptionsException($"model.initialization.deviation is {Deviation}; it must be above 0.");
}
