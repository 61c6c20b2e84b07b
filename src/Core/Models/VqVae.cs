using System.Text.Json.Serialization;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;
using static VaeFunctions.Models.Layers.Build;

namespace VaeFunctions.Models;

/// <summary>The options of <see cref="VqVae"/>.</summary>
public sealed record VqVaeOptions : ModelOptions
{
    /// <summary>Channels of each stage that halves the image, outermost first.</summary>
    public required IReadOnlyList<int> Channels { get; init; }

    /// <summary>Residual blocks in the encoder and in the decoder.</summary>
    public int Blocks { get; init; } = 2;

    /// <summary>The number of codes.</summary>
    public required int Codes { get; init; }

    /// <summary>The numbers of a code's vector.</summary>
    public required int Depth { get; init; }

    /// <summary>How much the encoder is drawn to the codes it chose, 0 or more.</summary>
    public float Commitment { get; init; } = 0.25f;

    /// <summary>Of the moving averages that are the codes' vectors.</summary>
    public float Decay { get; init; } = 0.99f;

    /// <summary>Channels of the prior's layers.</summary>
    public int PriorChannels { get; init; } = 64;

    /// <summary>Residual blocks of the prior.</summary>
    public int PriorBlocks { get; init; } = 4;

    /// <summary>What bounds the decoder's output.</summary>
    public OutputActivation Output { get; init; }

    [JsonIgnore]
    public override string Kind => "vq-vae";

    [JsonIgnore]
    public override int LatentSize => Depth * (Image.Height >> Channels.Count) * (Image.Width >> Channels.Count);

    private protected override Vae Build(ParameterSet parameters)
    {
        Check(Channels, 10, 4096, "channels");
        Check(Blocks, 0, 100, "blocks");
        Check(Codes, 2, 65536, "codes");
        Check(Depth, 1, 4096, "depth");
        Check(PriorChannels, 1, 4096, "priorChannels");
        Check(PriorBlocks, 0, 100, "priorBlocks");
        Output.Check(Likelihood);
        if (!(Commitment >= 0 && float.IsFinite(Commitment)))
            throw new ModelOptionsException($"model.commitment is {Commitment}; it must be 0 or more.");
        if (Decay is not (> 0 and < 1))
            throw new ModelOptionsException($"model.decay is {Decay}; it must be above 0 and below 1.");
        if (Classes != 0)
            throw new ModelOptionsException($"model.classes is {Classes}, but a vq-vae takes no labels; leave it out.");
        return new VqVae(parameters, this);
    }
}

/// <summary>An autoencoder whose code is a grid of the codebook's vectors, and an autoregressive prior over that grid. (van den
/// Oord, Vinyals and Kavukcuoglu 2017)</summary>
/// <remarks>
/// The gradient goes straight through the quantisation: z + stop(e − z). Loss: −log p(x | e) + commitment · |z − stop(e)|². The
/// prior is trained along with it on the codes as they are, so that −log p(codes) stands where other models have the KL, and the
/// sum is a bound of −log p(x). Its latent vector is z, before quantisation, place by place: [N, H · W · D]; decoding quantises.
/// </remarks>
public sealed class VqVae : Vae, IAutoregressive
{
    readonly OutputActivation output;
    readonly float commitment;
    readonly int depth, height, width;
    readonly Sequential encoder, decoder, prior;
    readonly Codebook codebook;

    /// <exception cref="ShapeException">The image cannot be halved once for every stage.</exception>
    public VqVae(ParameterSet parameters, VqVaeOptions options)
        : base(parameters, options)
    {
        (output, commitment, depth, Codes) = (options.Output, options.Commitment, options.Depth, options.Codes);
        Window half = new(4, 2, 1), same = new(3, 1, 1), point = new(1);
        var (down, blocks, narrow) = (options.Channels, options.Blocks, options.PriorChannels);
        int[] up = [.. down.Reverse()];
        int inner = up[0], between = inner / 2 + 1, factor = 1 << down.Count;
        if (Image.Height % factor != 0 || Image.Width % factor != 0)
            throw new ShapeException(
                $"VqVae: images are {Image} but {down.Count} stages halve them; height and width must be multiples of {factor}.");
        (height, width) = (Image.Height / factor, Image.Width / factor);
        var block = Residual(Relu, Conv(inner, between, same), Relu, Conv(between, inner, point));
        var priorBlock = Residual(
            Relu, Conv(narrow, narrow, point),
            Relu, MaskedConv(narrow, narrow, 3, seesItself: true),
            Relu, Conv(narrow, narrow, point));

        var scope = parameters.Root;
        encoder = new(scope / "encoder",
        [
            .. Stages([Image.Channels, .. down], (from, to) => [Conv(from, to, half), Relu]),
            Conv(inner, inner, same),
            .. Enumerable.Repeat(block, blocks),
            Relu,
            Conv(inner, depth, point),
        ]);
        codebook = new(scope / "codebook", Codes, depth, options.Decay);
        decoder = new(scope / "decoder",
        [
            Conv(depth, inner, same),
            .. Enumerable.Repeat(block, blocks),
            Relu,
            .. Stages(up, (from, to) => [ConvTranspose(from, to, half), Relu]),
            ConvTranspose(up[^1], Image.Channels, half),
        ]);
        prior = new(scope / "prior",
        [
            MaskedConv(depth, narrow, 5, seesItself: false),
            .. Enumerable.Repeat(priorBlock, options.PriorBlocks),
            Relu,
            Conv(narrow, narrow, point),
            Relu,
            Conv(narrow, Codes, point),
        ]);
    }

    public override Prior OwnPrior => Prior.Autoregressive;

    public int Codes { get; }

    public int Places => height * width;

    public override Gaussian Encode(Tensor images, Tensor? condition = null) =>
        Gaussian.Point(encoder.Forward(images).Transpose(0, 2, 3, 1).Flatten());

    public override Tensor Decode(Tensor latent, Tensor? condition = null) =>
        Draw(codebook.Lookup(codebook.Nearest(Grid(latent))));

    public Tensor CodesOf(Tensor latent) => codebook.Nearest(Grid(latent)).Flatten();

    public Tensor Logits(Tensor codes) => Logits(codebook.Lookup(codes.Reshape(0, height, width)), Places);

    public Tensor Latent(Tensor codes) => codebook.Lookup(codes.Reshape(0, height, width)).Transpose(0, 2, 3, 1).Flatten();

    protected override NegativeElbo TermsOf(Tensor images, Tensor? condition, Tensor noise)
    {
        var z = encoder.Forward(images);
        var nearest = z.Backend.IsTraining ? default : codebook.Nearest(z);
        var (codes, vectors) = nearest is null ? codebook.Learn(z) : (nearest, codebook.Lookup(nearest));

        var decoded = Draw(z + (vectors - z).StopGradient());
        var error = Likelihood.Reconstruction(decoded, images);
        var logits = Logits(vectors.StopGradient(), Places);
        // −log p(code): [N, places]
        var surprise = logits.LogSumExp().Reshape(0, 0) - (logits * codes.Flatten().OneHot(Codes)).Sum(2);
        return new(error, surprise, surprise.SumPerImage())
        {
            Decoded = decoded,
            Penalty = z.Backend.SquaredErrorSum(z, vectors.StopGradient()).Sum() * commitment,
            Codes = codes.Flatten(),
        };
    }

    /// <summary>[N, D, H, W] → [N, places, K]</summary>
    Tensor Logits(Tensor vectors, int places) => prior.Forward(vectors).Transpose(0, 2, 3, 1).Reshape(0, places, Codes);

    /// <summary>[N, H · W · D] → [N, D, H, W]</summary>
    Tensor Grid(Tensor latent) => latent.Reshape(0, height, width, depth).Transpose(0, 3, 1, 2);

    Tensor Draw(Tensor vectors) => output.Of(decoder.Forward(vectors));
}
