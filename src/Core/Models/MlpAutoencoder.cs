using System.Text.Json.Serialization;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>The options of <see cref="MlpAutoencoder"/>.</summary>
public sealed record MlpAutoencoderOptions : ModelOptions
{
    /// <summary>Units of the hidden layers, outermost first; the decoder mirrors them.</summary>
    public required IReadOnlyList<int> Hidden { get; init; }

    /// <summary>The length of the code.</summary>
    public required int Latent { get; init; }

    /// <summary>What bounds the decoder's output.</summary>
    public OutputActivation Output { get; init; }

    /// <summary>What is fitted to the codes so that the model can be sampled; nothing unless given.</summary>
    public CodePriorOptions? Prior { get; init; }

    [JsonIgnore]
    public override string Kind => "mlp-ae";

    [JsonIgnore]
    public override int LatentSize => Latent;

    private protected override Vae Build(ParameterSet parameters)
    {
        Check(Hidden, 10, 65536, "hidden");
        Output.Check(Likelihood);
        if (Classes != 0)
            throw new ModelOptionsException(
                $"model.classes is {Classes}, but a plain autoencoder takes no labels; leave it out, or choose mlp-vae.");
        return new MlpAutoencoder(parameters, this);
    }
}

/// <summary>The plain autoencoder: pixels – hidden – code – hidden – pixels, ReLU between. Nothing shapes its codes, so that it
/// has no prior to be sampled from unless one is fitted to them. (Hinton and Salakhutdinov 2006)</summary>
public sealed class MlpAutoencoder : Vae
{
    readonly OutputActivation output;
    readonly Sequential encoder, decoder;
    readonly CodePrior? prior;

    public MlpAutoencoder(ParameterSet parameters, MlpAutoencoderOptions options)
        : base(parameters, options)
    {
        output = options.Output;
        int[] down = [Image.Size, .. options.Hidden], up = [LatentSize, .. options.Hidden.Reverse()];

        var scope = parameters.Root;
        encoder = new(scope / "encoder", [.. Build.Stages(down, Dense), Build.Linear(down[^1], LatentSize)]);
        decoder = new(scope / "decoder", [.. Build.Stages(up, Dense), Build.Linear(up[^1], Image.Size)]);
        if (options.Prior is not null) prior = new(scope / "prior", LatentSize);

        static Layer[] Dense(int from, int to) => [Build.Linear(from, to), Build.Relu];
    }

    public override Prior OwnPrior => prior is null ? Prior.None : Prior.StandardNormal;

    public override bool BoundsLikelihood => false;

    public override Gaussian Encode(Tensor images, Tensor? condition = null)
    {
        var code = Code(images);
        return Gaussian.Point(prior is null ? code : prior.Whiten(code));
    }

    public override Tensor Decode(Tensor latent, Tensor? condition = null) => Draw(prior is null ? latent : prior.Colour(latent));

    public override bool Fits => prior is not null;

    /// <summary>Fits the prior, if there is one, to the codes of these images.</summary>
    public override void Fit(Tensor pixels) => prior?.Fit(Code(Likelihood.FromPixels(pixels)));

    protected override NegativeElbo TermsOf(Tensor images, Tensor? condition, Tensor noise)
    {
        var decoded = Draw(Code(images));
        var error = Likelihood.Reconstruction(decoded, images);
        return new(error, (error * 0).Reshape(-1, 1), error * 0) { Decoded = decoded };
    }

    Tensor Code(Tensor images) => encoder.Forward(images.Flatten());

    Tensor Draw(Tensor code) => output.Of(decoder.Forward(code)).Reshape(0, Image.Channels, Image.Height, Image.Width);
}
