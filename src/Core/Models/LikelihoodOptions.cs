using System.Text.Json.Serialization;
using VaeFunctions.Imaging;
using VaeFunctions.Models.Layers;

namespace VaeFunctions.Models;

/// <summary>Which likelihood, and for continuous ones the range the pixels 0 to 255 are mapped to.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(BernoulliOptions), "bernoulli")]
[JsonDerivedType(typeof(SquaredErrorOptions), "squared-error")]
[JsonDerivedType(typeof(AbsoluteErrorOptions), "absolute-error")]
[JsonDerivedType(typeof(GaussianOptions), "gaussian")]
public abstract record LikelihoodOptions
{
    /// <summary>What <see cref="Likelihood.Reconstruction"/> measures. Losses of different measures do not compare.</summary>
    [JsonIgnore]
    public abstract string Measure { get; }

    /// <param name="scope">Where the likelihood's own parameters are declared.</param>
    /// <exception cref="ModelOptionsException">The range is empty.</exception>
    public abstract Likelihood Build(Scope scope, ImageShape image);

    private protected static void CheckRange(float low, float high)
    {
        if (!(low < high))
            throw new ModelOptionsException($"model.likelihood has low {low} and high {high}; low must be below high.");
    }
}

/// <summary>Options of <see cref="Bernoulli"/>: it has none.</summary>
public sealed record BernoulliOptions : LikelihoodOptions
{
    [JsonIgnore]
    public override string Measure => "binary cross-entropy in nats";

    public override Likelihood Build(Scope scope, ImageShape image) => new Bernoulli();
}

/// <summary>Options of <see cref="SquaredError"/>.</summary>
public sealed record SquaredErrorOptions : LikelihoodOptions
{
    public float Low { get; init; }

    public float High { get; init; } = 1;

    [JsonIgnore]
    public override string Measure => $"squared error in [{Low}, {High}]";

    public override Likelihood Build(Scope scope, ImageShape image)
    {
        CheckRange(Low, High);
        return new SquaredError(Low, High);
    }
}

/// <summary>Options of <see cref="AbsoluteError"/>.</summary>
public sealed record AbsoluteErrorOptions : LikelihoodOptions
{
    public float Low { get; init; }

    public float High { get; init; } = 1;

    [JsonIgnore]
    public override string Measure => $"absolute error in [{Low}, {High}]";

    public override Likelihood Build(Scope scope, ImageShape image)
    {
        CheckRange(Low, High);
        return new AbsoluteError(Low, High);
    }
}

/// <summary>Options of <see cref="GaussianLikelihood"/>.</summary>
public sealed record GaussianOptions : LikelihoodOptions
{
    public float Low { get; init; }

    public float High { get; init; } = 1;

    public Deviation Deviation { get; init; } = Deviation.Optimal;

    [JsonIgnore]
    public override string Measure => $"Gaussian negative log density in nats, pixels in [{Low}, {High}]";

    public override Likelihood Build(Scope scope, ImageShape image)
    {
        CheckRange(Low, High);
        return new GaussianLikelihood(scope, image, Low, High, Deviation == Deviation.Optimal);
    }
}

/// <summary>How a Gaussian likelihood comes by its σ.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Deviation>))]
public enum Deviation
{
    /// <summary>By gradient descent on log σ².</summary>
    [JsonStringEnumMemberName("learned")]
    Learned,

    /// <summary>As the maximum of the likelihood: the root of the mean squared error.</summary>
    [JsonStringEnumMemberName("optimal")]
    Optimal,
}
