using System.Runtime.CompilerServices;
using VaeFunctions.Models.Layers;
using VaeFunctions.Onnx;
using VaeFunctions.Tensors;
using static VaeFunctions.Models.Layers.Build;

namespace VaeFunctions.Features;

/// <summary>A residual network that was trained to recognise a thousand kinds of things (He et al. 2016), and whose features see
/// photographs somewhat as people do. Its weights never change, and never leave the training job.</summary>
/// <remarks>They are read from the ONNX file of Microsoft.ML.DnnImageFeaturizer.ResNet18, batch normalisations folded into
/// convolutions. The file's graph takes images of 224×224; built of these layers it takes any size. Its fourth stage has three
/// blocks, where the paper's has two.</remarks>
public sealed class ResNet18
{
    /// <summary>What <see cref="Pooled"/> gives of an image.</summary>
    public const int PooledSize = 512;

    /// <summary>Red, green and blue of its training images, 0 to 255: those of the package's mean image, over all its
    /// pixels.</summary>
    internal static readonly float[] Mean = [123.152f, 115.903f, 103.063f];

    static readonly ConditionalWeakTable<ITrainingBackend, ResNet18> loaded = [];

    readonly Sequential stem, stage1, stage2, stage3, stage4;

    ResNet18(ITrainingBackend backend, IReadOnlyList<OnnxConvolution> convolutions)
    {
        Window same = new(3, 1, 1), half = new(3, 2, 1);
        var parameters = new ParameterSet(backend, 0, new Unset());
        var scope = parameters.Root;
        stem = new(scope / "stem", [Conv(3, 64, new(7, 2, 3)), Relu]);
        stage1 = new(scope / "stage1", [MaxPool(half), .. Block(64), .. Block(64)]);
        stage2 = new(scope / "stage2", [.. HalvingBlock(64, 128), .. Block(128)]);
        stage3 = new(scope / "stage3", [.. HalvingBlock(128, 256), .. Block(256)]);
        stage4 = new(scope / "stage4", [.. HalvingBlock(256, 512), .. Block(512), .. Block(512)]);
        Load(parameters, convolutions);

        Layer[] Block(int channels) => [Residual(Conv(channels, channels, same), Relu, Conv(channels, channels, same)), Relu];

        Layer[] HalvingBlock(int from, int to) =>
            [ResidualBeside(Conv(from, to, new(1, 2)), Conv(from, to, half), Relu, Conv(to, to, same)), Relu];
    }

    internal static string DefaultFile => Path.Combine(AppContext.BaseDirectory, "features", "ResNet18.onnx");

    /// <summary>The network on a back end, which is read once for each. Not to be called within a scope of that, with which the
    /// weights would go.</summary>
    /// <exception cref="FeatureException">Its file is missing or is not what it should be.</exception>
    public static ResNet18 On(ITrainingBackend backend) => loaded.GetValue(backend, static backend => Read(backend, DefaultFile));

    /// <inheritdoc cref="On"/>
    internal static ResNet18 Read(ITrainingBackend backend, string file)
    {
        try
        {
            return new(backend, OnnxConvolution.ReadAll(File.ReadAllBytes(file)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new FeatureException($"The pretrained network {file} cannot be read: {e.Message} It comes with the build, from "
                + "the package Microsoft.ML.DnnImageFeaturizer.ResNet18; build the training job again, or leave "
                + "objective.perceptual out of the recipe.", e);
        }
    }

    /// <summary>The features of the stem and of stages 1 to 3: 64, 64, 128 and 256 channels, at a half, a quarter, an eighth and
    /// a sixteenth of the height and width.</summary>
    /// <param name="shades">[N, C, H, W], 0 to 255, red, green and blue, or grey, which is taken for all three.</param>
    /// <returns>[N, C', H', W'] each, none below 0.</returns>
    public Tensor[] Features(Tensor shades)
    {
        using var frozen = shades.Backend.FreezeParameters();
        var first = stem.Forward(shades - shades.Backend.FromValues(Mean, new(1, 3, 1, 1)));
        var second = stage1.Forward(first);
        var third = stage2.Forward(second);
        return [first, second, third, stage3.Forward(third)];
    }

    /// <summary>The means over all places of the fourth stage's features: [N, 512].</summary>
    /// <param name="shades">[N, C, H, W], as in <see cref="Features"/>.</param>
    public Tensor Pooled(Tensor shades)
    {
        using var frozen = shades.Backend.FreezeParameters();
        var last = stage4.Forward(Features(shades)[^1]);
        return last.Sum(2, 3) / (last.Shape[2] * last.Shape[3]);
    }

    /// <summary>The parameters are a weight and a bias for each convolution, in the order of the file's graph.</summary>
    static void Load(ParameterSet parameters, IReadOnlyList<OnnxConvolution> convolutions)
    {
        if (parameters.Count != 2 * convolutions.Count)
            throw new InvalidDataException($"It has {convolutions.Count} convolutions, not {parameters.Count / 2}.");
        var backend = parameters.Backend;
        using var scope = backend.BeginScope();
        foreach (var (pair, (weight, shape, bias)) in parameters.Chunk(2).Zip(convolutions))
        {
            if (!pair[0].Shape.Equals(shape))
                throw new InvalidDataException($"The convolution for {pair[0].Name} is {shape}, not {pair[0].Shape}.");
            backend.Assign(pair[0].Value, backend.FromValues(shape[1] == 3 ? FromRed(weight, shape) : weight, shape));
            backend.Assign(pair[1].Value, backend.FromValues(bias, new(bias.Length)));
        }
    }

    /// <summary>The weights of a convolution of blue, green and red, in that order, for one of red, green and blue.</summary>
    static float[] FromRed(float[] weight, Shape shape)
    {
        var taps = shape[2] * shape[3];
        return [.. weight.Chunk(3 * taps).SelectMany(output => output.Chunk(taps).Reverse()).SelectMany(plane => plane)];
    }

    /// <summary>Zeros, which are overwritten at once.</summary>
    sealed record Unset : Initialization
    {
        public override Initializer Weight(int fanIn, int fanOut) => Initializers.Constant(0);
    }
}

/// <summary>The pretrained network cannot be had; the message says why.</summary>
public sealed class FeatureException(string message, Exception? inner = null) : ExplainedException(message, inner);
