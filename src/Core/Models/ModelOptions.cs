using System.Text.Json.Serialization;
using VaeFunctions.Cpu;
using VaeFunctions.Imaging;
using VaeFunctions.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>An architecture as data: what a recipe, a checkpoint and a manifest say about a model.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(MlpVaeOptions), "mlp-vae")]
[JsonDerivedType(typeof(ConvVaeOptions), "conv-vae")]
public abstract record ModelOptions
{
    /// <summary>The images the model is made for.</summary>
    public required ImageShape Image { get; init; }

    /// <summary>The length of the latent vector.</summary>
    public required int Latent { get; init; }

    /// <summary>What the decoder's output means.</summary>
    public required LikelihoodOptions Likelihood { get; init; }

    /// <summary>The name by which recipes choose this architecture.</summary>
    [JsonIgnore]
    public abstract string Kind { get; }

    /// <summary>Builds the model with freshly drawn parameters.</summary>
    /// <exception cref="ArgumentException">A number is out of range; the message names it.</exception>
    /// <exception cref="ShapeException">The image does not suit the architecture.</exception>
    public Vae Build(ITrainingBackend backend, ulong seed)
    {
        Check(Image.Height, 1, 4096, "image.height");
        Check(Image.Width, 1, 4096, "image.width");
        if (Image.Channels is not (1 or 3)) throw new ArgumentException($"model.image.channels is {Image.Channels}; it must be 1 (grey) or 3 (RGB).");
        Check(Latent, 1, 65536, "latent");
        return Build(new ParameterSet(backend, seed));
    }

    /// <summary>The same on the default back end.</summary>
    public Vae Build(ulong seed = 0) => Build(new CpuBackend(), seed);

    private protected abstract Vae Build(ParameterSet parameters);

    private protected static void Check(int value, int low, int high, string name)
    {
        if (value < low || value > high) throw new ArgumentException($"model.{name} is {value}; it must be from {low} to {high}.");
    }
}

/// <summary>The options of <see cref="MlpVae"/>.</summary>
public sealed record MlpVaeOptions : ModelOptions
{
    /// <summary>Units of the hidden layers.</summary>
    public required int Hidden { get; init; }

    [JsonIgnore]
    public override string Kind => "mlp-vae";

    private protected override Vae Build(ParameterSet parameters)
    {
        Check(Hidden, 1, 65536, "hidden");
        return new MlpVae(parameters, Image, Hidden, Latent, Likelihood.Build());
    }
}

/// <summary>The options of <see cref="ConvVae"/>.</summary>
public sealed record ConvVaeOptions : ModelOptions
{
    /// <summary>Channels of each stage, outermost first.</summary>
    public required IReadOnlyList<int> Channels { get; init; }

    /// <summary>Units of the dense layer between the stages and the latent.</summary>
    public required int Hidden { get; init; }

    /// <summary>What bounds the decoder's output; a Bernoulli likelihood takes it unbounded.</summary>
    public OutputActivation Output { get; init; } = OutputActivation.Tanh;

    [JsonIgnore]
    public override string Kind => "conv-vae";

    private protected override Vae Build(ParameterSet parameters)
    {
        Check(Hidden, 1, 65536, "hidden");
        Check(Channels.Count, 1, 10, "channels (their number)");
        foreach (var channels in Channels) Check(channels, 1, 4096, "channels");
        if (Output == OutputActivation.Tanh && Likelihood is BernoulliOptions)
            throw new ArgumentException("model.output is tanh, but a bernoulli likelihood takes logits; set it to linear.");
        return new ConvVae(parameters, Image, Channels, Hidden, Latent, Output == OutputActivation.Tanh ? Layers.Build.Tanh : null, Likelihood.Build());
    }
}

/// <summary>What a decoder's last values go through.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<OutputActivation>))]
public enum OutputActivation
{
    /// <summary>To (−1, 1), for pixels in that range.</summary>
    [JsonStringEnumMemberName("tanh")]
    Tanh,

    /// <summary>Nothing.</summary>
    [JsonStringEnumMemberName("linear")]
    Linear,
}

/// <summary>Which likelihood, and for squared errors the range the pixels 0 to 255 are mapped to.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(BernoulliOptions), "bernoulli")]
[JsonDerivedType(typeof(SquaredErrorOptions), "squared-error")]
public abstract record LikelihoodOptions
{
    public abstract Likelihood Build();
}

/// <summary>Options of <see cref="Bernoulli"/>: it has none.</summary>
public sealed record BernoulliOptions : LikelihoodOptions
{
    public override Likelihood Build() => new Bernoulli();
}

/// <summary>Options of <see cref="SquaredError"/>.</summary>
public sealed record SquaredErrorOptions : LikelihoodOptions
{
    public float Low { get; init; }

    public float High { get; init; } = 1;

    public override Likelihood Build() => Low < High
        ? new SquaredError(Low, High)
        : throw new ArgumentException($"model.likelihood has low {Low} and high {High}; low must be below high.");
}
