using VaeFunctions.Imaging;
using VaeFunctions.Layers;
using VaeFunctions.Tensors;
using static VaeFunctions.Layers.Build;

namespace VaeFunctions.Models;

/// <summary>The convolutional VAE: each stage halves the image (kernel 4, stride 2, padding 1, ReLU, batch normalisation),
/// then a dense layer with a ReLU and the latent; the decoder mirrors it, from two linear layers with a ReLU after the second.</summary>
/// <remarks>With 32×32×3 images, stages of 32, 64 and 128 channels, 1024 dense units and 128 latents it has 4,923,587 weights, and the
/// names and layout of the PyTorch model: encoder.0 … encoder.10, fc_mu, fc_logvar, decoder.0 … decoder.10. docs/decisions has how its dense layers came to be.</remarks>
public sealed class ConvVae : Vae
{
    static readonly Window Half = new(Kernel: 4, Stride: 2, Padding: 1);

    readonly Sequential encoder, decoder;
    readonly Linear mean, logVariance;

    /// <param name="channels">Channels of each stage, outermost first.</param>
    /// <param name="hidden">Units of the dense layer between the stages and the latent.</param>
    /// <param name="output">What the last layer's values go through; null leaves them as they are.</param>
    /// <exception cref="ShapeException">The image cannot be halved once for every stage.</exception>
    public ConvVae(ParameterSet parameters, ImageShape image, IReadOnlyList<int> channels, int hidden, int latentSize, Layer? output, Likelihood likelihood)
        : base(parameters, image, latentSize, likelihood)
    {
        var factor = 1 << channels.Count;
        if (image.Height % factor != 0 || image.Width % factor != 0)
            throw new ShapeException($"ConvVae: images are {image} but {channels.Count} stages halve them; height and width must be multiples of {factor}.");
        int height = image.Height / factor, width = image.Width / factor, flat = channels[^1] * height * width;
        IReadOnlyList<int> stages = [image.Channels, .. channels];

        var scope = parameters.Root;
        encoder = new(scope / "encoder",
            [.. stages.Zip(channels).SelectMany(Down), Flatten, Linear(flat, hidden), Relu]);
        mean = new(scope / "fc_mu", hidden, latentSize);
        logVariance = new(scope / "fc_logvar", hidden, latentSize);
        decoder = new(scope / "decoder",
            [Linear(latentSize, hidden), Linear(hidden, flat), Relu, Unflatten(channels[^1], height, width),
             .. channels.Zip(stages).Reverse().SkipLast(1).SelectMany(Up), ConvTranspose(channels[0], image.Channels, Half), .. output is null ? [] : (Layer[])[output]]);

        static Layer[] Down((int From, int To) stage) => [Conv(stage.From, stage.To, Half), Relu, BatchNorm(stage.To)];

        static Layer[] Up((int From, int To) stage) => [ConvTranspose(stage.From, stage.To, Half), Relu, BatchNorm(stage.To)];
    }

    public override Gaussian Encode(Tensor images)
    {
        var h = encoder.Forward(images);
        return new(mean.Forward(h), logVariance.Forward(h));
    }

    public override Tensor Decode(Tensor latent) => decoder.Forward(latent);
}
