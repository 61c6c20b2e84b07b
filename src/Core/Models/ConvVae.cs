using System.Text.Json.Serialization;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;
using static VaeFunctions.Models.Layers.Build;

namespace VaeFunctions.Models;

/// <summary>The options of <see cref="ConvVae"/>.</summary>
public record ConvVaeOptions : ModelOptions
{
    /// <summary>Channels of each stage, outermost first.</summary>
    public required IReadOnlyList<int> Channels { get; init; }

    /// <summary>Units of the dense layer between the stages and the latent.</summary>
    public required int Hidden { get; init; }

    /// <summary>The length of the latent vector.</summary>
    public required int Latent { get; init; }

    readonly OutputActivation? output;

    /// <summary>What bounds the decoder's output: tanh unless given, but nothing for a Bernoulli likelihood, which takes
    /// logits.</summary>
    public OutputActivation Output
    {
        get => output ?? (Likelihood is BernoulliOptions ? OutputActivation.Linear : OutputActivation.Tanh);
        init => output = value;
    }

    [JsonIgnore]
    public override string Kind => "conv-vae";

    [JsonIgnore]
    public override int LatentSize => Latent;

    private protected override Vae Build(ParameterSet parameters)
    {
        CheckAll();
        return new ConvVae(parameters, this);
    }

    private protected void CheckAll()
    {
        Check(Hidden, 1, 65536, "hidden");
        Check(Channels, 10, 4096, "channels");
        Output.Check(Likelihood);
    }
}

/// <summary>The convolutional VAE: each stage halves the image (kernel 4, stride 2, padding 1, ReLU, batch normalisation),
/// then a dense layer with a ReLU and the latent; the decoder mirrors it, from two linear layers with a ReLU after the
/// second.</summary>
/// <remarks>With 32×32×3 images, stages of 32, 64 and 128 channels, 1024 dense units and 128 latents it has 4,923,587 weights,
/// and the names and layout of the PyTorch model: encoder.0 … encoder.10, fc_mu, fc_logvar, decoder.0 … decoder.10.
/// docs/decisions has how its dense layers came to be. A label joins the image as planes and the latent as numbers.</remarks>
public class ConvVae : Vae
{
    static readonly Window Half = new(Kernel: 4, Stride: 2, Padding: 1);

    readonly OutputActivation output;
    readonly Sequential encoder, decoder;
    readonly Linear mean, logVariance;

    /// <exception cref="ShapeException">The image cannot be halved once for every stage.</exception>
    public ConvVae(ParameterSet parameters, ConvVaeOptions options)
        : base(parameters, options)
    {
        output = options.Output;
        var (down, hidden) = (options.Channels, options.Hidden);
        int[] up = [.. down.Reverse()];
        var factor = 1 << down.Count;
        if (Image.Height % factor != 0 || Image.Width % factor != 0)
            throw new ShapeException($"ConvVae: images are {Image} but {down.Count} stages halve them; height and width must "
                + $"be multiples of {factor}.");
        int inner = up[0], height = Image.Height / factor, width = Image.Width / factor, flat = inner * height * width;

        var scope = parameters.Root;
        encoder = new(scope / "encoder",
        [
            .. Stages([Image.Channels + Classes, .. down], (from, to) => [Conv(from, to, Half), Relu, BatchNorm(to)]),
            Flatten,
            Linear(flat, hidden),
            Relu,
        ]);
        mean = new(scope / "fc_mu", hidden, LatentSize);
        logVariance = new(scope / "fc_logvar", hidden, LatentSize);
        decoder = new(scope / "decoder",
        [
            Linear(LatentSize + Classes, hidden),
            Linear(hidden, flat),
            Relu,
            Unflatten(inner, height, width),
            .. Stages(up, (from, to) => [ConvTranspose(from, to, Half), Relu, BatchNorm(to)]),
            ConvTranspose(up[^1], Image.Channels, Half),
        ]);
    }

    public override Gaussian Encode(Tensor images, Tensor? condition = null)
    {
        var h = encoder.Forward(images.JoinPlanes(condition));
        return new(mean.Forward(h), logVariance.Forward(h));
    }

    public override Tensor Decode(Tensor latent, Tensor? condition = null) => output.Of(decoder.Forward(latent.Join(condition)));
}
