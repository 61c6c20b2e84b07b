using System.Text.Json.Serialization;
using VaeFunctions.Cpu;
using VaeFunctions.Imaging;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>An architecture as data: what a recipe, a checkpoint and a manifest say about a model.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(MlpVaeOptions), "mlp-vae")]
[JsonDerivedType(typeof(MlpAutoencoderOptions), "mlp-ae")]
[JsonDerivedType(typeof(ConvVaeOptions), "conv-vae")]
[JsonDerivedType(typeof(PlainConvVaeOptions), "plain-conv-vae")]
[JsonDerivedType(typeof(SpatialVaeOptions), "spatial-vae")]
[JsonDerivedType(typeof(LadderVaeOptions), "ladder-vae")]
[JsonDerivedType(typeof(VqVaeOptions), "vq-vae")]
[JsonDerivedType(typeof(VaeGanOptions), "vae-gan")]
public abstract record ModelOptions
{
    /// <summary>The images the model is made for.</summary>
    public required ImageShape Image { get; init; }

    /// <summary>What the decoder's output means.</summary>
    public required LikelihoodOptions Likelihood { get; init; }

    /// <summary>How many labels condition the model; 0 for none.</summary>
    public int Classes { get; init; }

    /// <summary>How layers begin; as PyTorch's do unless given.</summary>
    public Initialization? Initialization { get; init; }

    /// <summary>The name by which recipes choose this architecture.</summary>
    [JsonIgnore]
    public abstract string Kind { get; }

    /// <summary>The length of the latent vector that the model shows.</summary>
    [JsonIgnore]
    public abstract int LatentSize { get; }

    /// <summary>Builds the model with freshly drawn parameters.</summary>
    /// <exception cref="ModelOptionsException">A number is out of range; the message names it.</exception>
    /// <exception cref="ShapeException">The image does not suit the architecture.</exception>
    public Vae Build(ITrainingBackend backend, ulong seed)
    {
        Check(Image.Height, 1, 4096, "image.height");
        Check(Image.Width, 1, 4096, "image.width");
        if (Image.Channels is not (1 or 3))
            throw new ModelOptionsException($"model.image.channels is {Image.Channels}; it must be 1 (grey) or 3 (RGB).");
        Check(Classes, 0, 4096, "classes");
        Check(LatentSize, 1, 65536, "latent");
        return Build(new ParameterSet(backend, seed, Initialization));
    }

    /// <summary>The same on the default back end.</summary>
    public Vae Build(ulong seed = 0) => Build(new CpuBackend(), seed);

    private protected abstract Vae Build(ParameterSet parameters);

    private protected static void Check(int value, int low, int high, string name)
    {
        if (value < low || value > high)
            throw new ModelOptionsException($"model.{name} is {value}; it must be from {low} to {high}.");
    }

    private protected static void Check(IReadOnlyList<int> values, int longest, int high, string name)
    {
        Check(values.Count, 1, longest, $"{name} (their number)");
        foreach (var value in values) Check(value, 1, high, name);
    }
}

/// <summary>What a decoder's last values go through.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<OutputActivation>))]
public enum OutputActivation
{
    /// <summary>Nothing.</summary>
    [JsonStringEnumMemberName("linear")]
    Linear,

    /// <summary>To (−1, 1), for pixels in that range.</summary>
    [JsonStringEnumMemberName("tanh")]
    Tanh,

    /// <summary>To [0, ∞).</summary>
    [JsonStringEnumMemberName("relu")]
    Relu,
}

static class OutputActivations
{
    extension(OutputActivation activation)
    {
        public Tensor Of(Tensor x) => activation switch
        {
            OutputActivation.Tanh => x.Tanh(),
            OutputActivation.Relu => x.Relu(),
            _ => x,
        };

        /// <exception cref="ModelOptionsException">The likelihood takes logits, which must not be bounded.</exception>
        public void Check(LikelihoodOptions likelihood)
        {
            if (activation != OutputActivation.Linear && likelihood is BernoulliOptions)
                throw new ModelOptionsException($"model.output is {activation.ToString().ToLowerInvariant()}, but a bernoulli "
                    + "likelihood takes logits; set it to linear.");
        }
    }
}
