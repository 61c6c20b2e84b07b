using VaeFunctions.Tensors;

namespace VaeFunctions.Models.Layers;

/// <summary>A convolution by W / σ(W), with σ the largest singular value of the weights W as a matrix of [outputs, everything
/// else]. That keeps a discriminator from running away. [N, inputs, H, W] → [N, outputs, H', W']. (Miyato et al. 2018, "Spectral
/// normalization for generative adversarial networks", algorithm 1)</summary>
public sealed class SpectralConvolution(Scope scope, int inputs, int outputs, Window window) : ILayer
{
    const float Least = 1e-12f;

    readonly Parameter weight = scope.Weight("weight", new(outputs, inputs, window.Kernel, window.Kernel),
        scope.Initialization.Weight(inputs * window.Kernel * window.Kernel, outputs * window.Kernel * window.Kernel));

    readonly Parameter bias =
        scope.Weight("bias", new(outputs), scope.Initialization.Bias(inputs * window.Kernel * window.Kernel));

    /// <summary>u, near the first left singular vector: [outputs, 1].</summary>
    readonly Parameter direction = scope.Statistic("direction", new(outputs, 1), Initializers.Normal(1));

    public Tensor Forward(Tensor x)
    {
        var backend = x.Backend;
        Tensor w = backend.FromParameter(weight), matrix = w.Reshape(outputs, -1), fixedMatrix = matrix.StopGradient();
        // One step of the power iteration. Its vectors are taken for constants: the gradient of σ = uᵀWv is u·vᵀ.
        var v = Unit((fixedMatrix * backend.FromParameter(direction)).Sum(0)).Reshape(1, -1);
        var u = Unit((fixedMatrix * v).Sum(1)).Reshape(outputs, 1);
        if (backend.IsTraining) backend.Update(direction, u);
        var sigma = (matrix * (u * v)).Sum();
        return backend.Conv(x, w / sigma, backend.FromParameter(bias), window, relu: false);
    }

    static Tensor Unit(Tensor vector) => vector / ((vector * vector).Sum() + Least).Sqrt();
}
