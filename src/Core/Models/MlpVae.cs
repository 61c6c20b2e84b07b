using System.Text.Json.Serialization;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>The options of <see cref="MlpVae"/>.</summary>
public sealed record MlpVaeOptions : ModelOptions
{
    /// <summary>Units of the hidden layers, outermost first; the decoder mirrors them.</summary>
    public required IReadOnlyList<int> Hidden { get; init; }

    /// <summary>The length of the latent vector.</summary>
    public required int Latent { get; init; }

    /// <summary>What bounds the decoder's output.</summary>
    public OutputActivation Output { get; init; }

    [JsonIgnore]
    public override string Kind => "mlp-vae";

    [JsonIgnore]
    public override int LatentSize => Latent;

    private protected override Vae Build(ParameterSet parameters)
    {
        Check(Hidden, 10, 65536, "hidden");
        Output.Check(Likelihood);
        return new MlpVae(parameters, this);
    }
}

/// <summary>The fully connected VAE: pixels – hidden – (μ, log σ²) – hidden – pixels, ReLU between, with the parameter names of
/// PyTorch's VAE example; hidden layers beyond the first are <c>encoder.0</c>, … and <c>decoder.0</c>, ….</summary>
/// <remarks>A label is appended to the flattened image and to the latent vector. (Sohn et al. 2015)</remarks>
public sealed class MlpVae : Vae
{
    readonly OutputActivation output;
    readonly Linear fc1, fc21, fc22, fc3, fc4;
    readonly Sequential encoder, decoder;

    public MlpVae(ParameterSet parameters, MlpVaeOptions options)
        : base(parameters, options)
    {
        output = options.Output;
        var hidden = options.Hidden;
        int outer = hidden[0], inner = hidden[^1];

        var scope = parameters.Root;
        fc1 = new(scope / "fc1", Image.Size + Classes, outer);
        encoder = new(scope / "encoder", Build.Stages(hidden, Dense));
        fc21 = new(scope / "fc21", inner, LatentSize);
        fc22 = new(scope / "fc22", inner, LatentSize);
        fc3 = new(scope / "fc3", LatentSize + Classes, inner);
        decoder = new(scope / "decoder", Build.Stages([.. hidden.Reverse()], Dense));
        fc4 = new(scope / "fc4", outer, Image.Size);

        static Layer[] Dense(int from, int to) => [Build.Linear(from, to), Build.Relu];
    }

    public override Gaussian Encode(Tensor images, Tensor? condition = null)
    {
        var h = encoder.Forward(fc1.Forward(images.Flatten().Join(condition)).Relu());
        return new(fc21.Forward(h), fc22.Forward(h));
    }

    public override Tensor Decode(Tensor latent, Tensor? condition = null) =>
        output.Of(fc4.Forward(decoder.Forward(fc3.Forward(latent.Join(condition)).Relu())))
            .Reshape(0, Image.Channels, Image.Height, Image.Width);
}
