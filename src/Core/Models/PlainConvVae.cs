using System.Text.Json.Serialization;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;
using static VaeFunctions.Models.Layers.Build;

namespace VaeFunctions.Models;

/// <summary>A convolution with kernel 3: its channels, and how many times smaller (in a decoder, larger) it makes the
/// image.</summary>
public sealed record Stage(int Channels, int Stride = 1);

/// <summary>The options of <see cref="PlainConvVae"/>.</summary>
public sealed record PlainConvVaeOptions : ModelOptions
{
    /// <summary>The encoder's convolutions, outermost first.</summary>
    public required IReadOnlyList<Stage> Encoder { get; init; }

    /// <summary>The decoder's transposed convolutions, innermost first; the strides' product is the encoder's.</summary>
    public required IReadOnlyList<Stage> Decoder { get; init; }

    /// <summary>Units of the encoder's dense layer.</summary>
    public required int Hidden { get; init; }

    /// <summary>The length of the latent vector.</summary>
    public required int Latent { get; init; }

    /// <summary>What bounds the decoder's output.</summary>
    public OutputActivation Output { get; init; }

    [JsonIgnore]
    public override string Kind => "plain-conv-vae";

    [JsonIgnore]
    public override int LatentSize => Latent;

    private protected override Vae Build(ParameterSet parameters)
    {
        Check(Hidden, 1, 65536, "hidden");
        Check([.. Encoder.Select(stage => stage.Channels)], 30, 4096, "encoder.channels");
        Check([.. Decoder.Select(stage => stage.Channels)], 30, 4096, "decoder.channels");
        Check([.. Encoder.Concat(Decoder).Select(stage => stage.Stride)], 60, 2, "stride");
        Output.Check(Likelihood);
        return new PlainConvVae(parameters, this);
    }
}

/// <summary>Convolutions of kernel 3 with ReLU and nothing else, a dense layer and the latent; a dense layer, transposed
/// convolutions and a last convolution back. (Chollet 2017, "Deep learning with Python", §8.4, is the case of 32-64/2-64-64 and
/// 32/2: 550,629 weights with 2 latents.)</summary>
public sealed class PlainConvVae : Vae
{
    readonly OutputActivation output;
    readonly Sequential encoder, decoder;
    readonly Linear mean, logVariance;

    /// <exception cref="ShapeException">The strides do not lead back to the image's size.</exception>
    public PlainConvVae(ParameterSet parameters, PlainConvVaeOptions options)
        : base(parameters, options)
    {
        output = options.Output;
        var (down, up, hidden) = (options.Encoder, options.Decoder, options.Hidden);
        int factor = Factor(down), back = Factor(up);
        if (factor != back || Image.Height % factor != 0 || Image.Width % factor != 0)
            throw new ShapeException($"PlainConvVae: the encoder makes {Image} {factor} times smaller, the decoder {back} "
                + "times larger; "
                + "both must be equal, and height and width multiples of it.");
        int inner = down[^1].Channels, height = Image.Height / factor, width = Image.Width / factor;
        var flat = inner * height * width;

        var scope = parameters.Root;
        encoder = new(scope / "encoder",
        [
            .. Stages(Image.Channels + Classes, down, (from, stage) => Conv(from, stage.Channels, new(3, stage.Stride, 1))),
            Flatten,
            Linear(flat, hidden),
            Relu,
        ]);
        mean = new(scope / "fc_mu", hidden, LatentSize);
        logVariance = new(scope / "fc_logvar", hidden, LatentSize);
        decoder = new(scope / "decoder",
        [
            Linear(LatentSize + Classes, flat),
            Relu,
            Unflatten(inner, height, width),
            .. Stages(inner, up, (from, stage) => ConvTranspose(from, stage.Channels, new(3, stage.Stride, 1, stage.Stride - 1))),
            Conv(up[^1].Channels, Image.Channels, new(3, 1, 1)),
        ]);

        static int Factor(IReadOnlyList<Stage> stages) => stages.Aggregate(1, (product, stage) => product * stage.Stride);

        static IEnumerable<Layer> Stages(int channels, IReadOnlyList<Stage> stages, Func<int, Stage, Layer> convolution)
        {
            foreach (var stage in stages)
            {
                yield return convolution(channels, stage);
                yield return Relu;
                channels = stage.Channels;
            }
        }
    }

    public override Gaussian Encode(Tensor images, Tensor? condition = null)
    {
        var h = encoder.Forward(images.JoinPlanes(condition));
        return new(mean.Forward(h), logVariance.Forward(h));
    }

    public override Tensor Decode(Tensor latent, Tensor? condition = null) => output.Of(decoder.Forward(latent.Join(condition)));
}
