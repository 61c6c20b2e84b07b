using VaeFunctions.Imaging;
using VaeFunctions.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Models;

/// <summary>The fully connected VAE: pixels – hidden – (μ, log σ²) – hidden – pixels, with the parameter names of PyTorch's VAE example.</summary>
public sealed class MlpVae : Vae
{
    readonly Linear fc1, fc21, fc22, fc3, fc4;

    /// <param name="hidden">Units of the hidden layers.</param>
    public MlpVae(ParameterSet parameters, ImageShape image, int hidden, int latentSize, Likelihood likelihood)
        : base(parameters, image, latentSize, likelihood)
    {
        var scope = parameters.Root;
        fc1 = new(scope / "fc1", image.Size, hidden);
        fc21 = new(scope / "fc21", hidden, latentSize);
        fc22 = new(scope / "fc22", hidden, latentSize);
        fc3 = new(scope / "fc3", latentSize, hidden);
        fc4 = new(scope / "fc4", hidden, image.Size);
    }

    public override Gaussian Encode(Tensor images)
    {
        var h = fc1.Forward(images.Flatten()).Relu();
        return new(fc21.Forward(h), fc22.Forward(h));
    }

    public override Tensor Decode(Tensor latent) =>
        fc4.Forward(fc3.Forward(latent).Relu()).Reshape(0, Image.Channels, Image.Height, Image.Width);
}
