using System.Text.Json.Serialization;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;
using static VaeFunctions.Models.Layers.Build;

namespace VaeFunctions.Models;

/// <summary>The options of <see cref="SpatialVae"/>.</summary>
public sealed record SpatialVaeOptions : ModelOptions
{
    /// <summary>Channels of the encoder's stages, from the image inwards; each halves it.</summary>
    public required IReadOnlyList<int> Encoder { get; init; }

    /// <summary>Channels around the code, in the encoder and in the decoder.</summary>
    public required int Inner { get; init; }

    /// <summary>Latents at each place of the grid that is the code.</summary>
    public required int Depth { get; init; }

    /// <summary>Channels of the decoder's stages, from the code outwards; each doubles the grid.</summary>
    public required IReadOnlyList<int> Decoder { get; init; }

    /// <summary>Residual blocks at each size, but at that of the image itself.</summary>
    public int Blocks { get; init; } = 1;

    /// <summary>Groups of channels that are normalised together.</summary>
    public int Groups { get; init; } = 8;

    readonly OutputActivation? output;

    /// <summary>What bounds the decoder's output: tanh unless given, but nothing for a Bernoulli likelihood, which takes
    /// logits.</summary>
    public OutputActivation Output
    {
        get => output ?? (Likelihood is BernoulliOptions ? OutputActivation.Linear : OutputActivation.Tanh);
        init => output = value;
    }

    [JsonIgnore]
    public override string Kind => "spatial-vae";

    [JsonIgnore]
    public override int LatentSize => Depth * (Image.Height >> Encoder.Count) * (Image.Width >> Encoder.Count);

    private protected override Vae Build(ParameterSet parameters)
    {
        Check(Encoder, 10, 4096, "encoder");
        Check(Decoder, 10, 4096, "decoder");
        Check(Inner, 1, 4096, "inner");
        Check(Depth, 1, 4096, "depth");
        Check(Blocks, 0, 100, "blocks");
        Check(Groups, 1, 4096, "groups");
        Output.Check(Likelihood);
        if (Decoder.Count != Encoder.Count)
            throw new ModelOptionsException($"model.decoder has {Decoder.Count} stages, but model.encoder has {Encoder.Count}; "
                + "there must be as many, so that the decoder's images are as large.");
        foreach (var channels in (int[])[.. Encoder, Inner, .. Decoder.SkipLast(1)])
        {
            if (channels % Groups != 0)
                throw new ModelOptionsException($"model.groups is {Groups}, but a stage has {channels} channels; all but the "
                    + "decoder's last must have a multiple of that.");
        }
        return new SpatialVae(parameters, this);
    }
}

/// <summary>A VAE for photographs: its latents are a grid that keeps where things are, as one vector, and its layers are residual
/// convolutions, normalised in groups so that no image depends on its batch. (The autoencoder of Rombach et al. 2022, §3.1,
/// without attention and small)</summary>
/// <remarks>h, w = height and width of the grid, D = depth; L = D · h · w, channel by channel. A label joins image and grid as
/// planes.</remarks>
public sealed class SpatialVae : Vae
{
    readonly OutputActivation output;
    readonly int depth, height, width;
    readonly Sequential encoder, mean, logVariance, decoder;

    /// <exception cref="ShapeException">The image cannot be halved once for every stage.</exception>
    public SpatialVae(ParameterSet parameters, SpatialVaeOptions options)
        : base(parameters, options)
    {
        (output, depth) = (options.Output, options.Depth);
        Window half = new(4, 2, 1), same = new(3, 1, 1), point = new(1);
        var (down, up, inner) = (options.Encoder, options.Decoder, options.Inner);
        int factor = 1 << down.Count, last = up.Count > 1 ? up[^2] : inner;
        if (Image.Height % factor != 0 || Image.Width % factor != 0)
            throw new ShapeException($"SpatialVae: images are {Image} but {down.Count} stages halve them; height and width must "
                + $"be multiples of {factor}.");
        (height, width) = (Image.Height / factor, Image.Width / factor);

        var scope = parameters.Root;
        encoder = new(scope / "encoder",
        [
            .. Stages([Image.Channels + Classes, .. down], (from, to) => [Conv(from, to, half), Norm(to), Silu]),
            Conv(down[^1], inner, point),
            .. Blocks(inner),
            Norm(inner),
            Silu,
        ]);
        mean = new(scope / "mean", [Conv(inner, depth, same), Flatten]);
        logVariance = new(scope / "log_variance", [Conv(inner, depth, same), Flatten]);
        decoder = new(scope / "decoder",
        [
            Conv(depth + Classes, inner, same),
            .. Blocks(inner),
            .. Stages([inner, .. up.SkipLast(1)], (from, to) => [UpConv(from, to), .. Blocks(to)]),
            Norm(last),
            Silu,
            UpConv(last, up[^1]),
            Silu,
            Conv(up[^1], Image.Channels, same),
        ]);

        Layer Norm(int channels) => GroupNorm(channels, options.Groups);

        IEnumerable<Layer> Blocks(int channels) => Enumerable.Repeat(
            Residual(
                Norm(channels), Silu, Conv(channels, channels, same),
                Norm(channels), Silu, Conv(channels, channels, same)),
            options.Blocks);
    }

    public override Gaussian Encode(Tensor images, Tensor? condition = null)
    {
        var h = encoder.Forward(images.JoinPlanes(condition));
        return new(mean.Forward(h), logVariance.Forward(h));
    }

    public override Tensor Decode(Tensor latent, Tensor? condition = null) =>
        output.Of(decoder.Forward(latent.Reshape(0, depth, height, width).JoinPlanes(condition)));
}
