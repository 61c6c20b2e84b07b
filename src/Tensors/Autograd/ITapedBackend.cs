using VaeFunctions.Tensors;

namespace VaeFunctions.Autograd;

/// <summary>What <see cref="GradientTape"/> asks of the back end it records over: the gradients that are no composition of
/// forward operations.</summary>
public interface ITapedBackend : ITrainingBackend
{
    /// <summary>Gives a tensor's memory back before its scope ends. Nothing may use the tensor afterwards.</summary>
    void Release(Tensor tensor)
    {
    }

    /// <summary>The gradient of a (leaky) ReLU's output where x &gt; 0, <paramref name="slope"/> · gradient elsewhere. No
    /// broadcasting.</summary>
    Tensor ReluGradient(Tensor x, Tensor gradient, float slope);

    /// <summary>The gradient where low ≤ x ≤ high, 0 elsewhere. No broadcasting.</summary>
    Tensor ClipGradient(Tensor x, Tensor gradient, float low, float high);

    /// <summary>The gradient of <see cref="IBackend.Conv(Tensor, Tensor, Window)"/> in its weight: Σ over images and places of x
    /// · gradient.</summary>
    /// <param name="x">[N, C, H, W], the convolution's input.</param>
    /// <param name="gradient">[N, O, H', W'], of its output.</param>
    /// <returns>[O, C, K, K]</returns>
    Tensor ConvWeightGradient(Tensor x, Tensor gradient, Window window);

    /// <summary>The gradient of <see cref="IBackend.MaxPool"/>: each element of that of its output goes to the first of the
    /// largest under its window.</summary>
    /// <param name="x">[N, C, H, W], the pooling's input.</param>
    /// <param name="gradient">[N, C, H', W'], of its output.</param>
    /// <returns>[N, C, H, W]</returns>
    Tensor MaxPoolGradient(Tensor x, Tensor gradient, Window window);

    /// <summary>The gradient of <see cref="IBackend.Silu"/>: dy · σ · (1 + x · (1 − σ)) with σ = σ(x). No
    /// broadcasting.</summary>
    Tensor SiluGradient(Tensor x, Tensor gradient)
    {
        ShapeRules.Same(x.Shape, gradient.Shape, "SiluGradient");
        var sigmoid = Sigmoid(x);
        return Multiply(gradient, Multiply(sigmoid, Add(Multiply(x, Subtract(Scalar(1), sigmoid)), Scalar(1))));
    }

    /// <summary>The gradients of <see cref="IBackend.GroupNormalization"/>.</summary>
    /// <remarks>x̂ = (x − mean) / s,  s = √(variance + ε);  dweight = Σ dy · x̂;  dbias = Σ dy;
    /// dx = (g − mean of g − x̂ · mean of g · x̂) / s,  g = dy · weight, the means of each group.</remarks>
    (Tensor X, Tensor Weight, Tensor Bias) GroupNormalizationGradient(
        Tensor x, Tensor weight, Tensor gradient, int groups, float epsilon)
    {
        ShapeRules.Same(x.Shape, gradient.Shape, "GroupNormalizationGradient", "x", "gradient");
        var perGroup = Scalar(ShapeRules.GroupNormalization(x.Shape, weight.Shape, weight.Shape, groups));
        var centred = Subtract(Grouped(x), MeanOf(Grouped(x)));
        var deviation = Sqrt(Add(MeanOf(Multiply(centred, centred)), Scalar(epsilon)));
        var normalised = Divide(centred, deviation);
        var scaled = Grouped(Multiply(gradient, Reshape(weight, -1, 1, 1)));
        var inputGradient = Divide(
            Subtract(Subtract(scaled, MeanOf(scaled)), Multiply(normalised, MeanOf(Multiply(scaled, normalised)))), deviation);
        return (Reshape(inputGradient, x.Shape.Axes),
            ReduceSum(Multiply(gradient, Reshape(normalised, x.Shape.Axes)), keepAxes: false, 0, 2, 3),
            ReduceSum(gradient, keepAxes: false, 0, 2, 3));

        Tensor Grouped(Tensor tensor) => Reshape(tensor, x.Shape[0], groups, -1);

        Tensor MeanOf(Tensor tensor) => Divide(ReduceSum(tensor, keepAxes: true, -1), perGroup);
    }

    /// <summary>The gradients of <see cref="IBackend.BatchNormalizationTraining"/>, the batch statistics' dependence on x
    /// included.</summary>
    /// <remarks>x̂ = (x − mean) / s,  s = √(variance + ε);  dweight = Σ dy · x̂;  dbias = Σ dy;
    /// dx = weight / s · (dy − dbias / M − x̂ · dweight / M),  M = elements per channel.</remarks>
    (Tensor X, Tensor Weight, Tensor Bias) BatchNormalizationGradient(
        Tensor x, Tensor mean, Tensor variance, Tensor weight, Tensor gradient, float epsilon)
    {
        ShapeRules.Same(x.Shape, gradient.Shape, "BatchNormalizationGradient", "x", "gradient");
        ShapeRules.BatchNormalization(x.Shape, weight.Shape, weight.Shape, mean.Shape, variance.Shape);
        var perChannel = Scalar(ShapeRules.ElementsPerChannel(x.Shape));
        var deviation = Reshape(Sqrt(Add(variance, Scalar(epsilon))), -1, 1, 1);
        var normalised = Divide(Subtract(x, Reshape(mean, -1, 1, 1)), deviation);
        var weightGradient = ReduceSum(Multiply(gradient, normalised), keepAxes: true, 0, 2, 3);
        var biasGradient = ReduceSum(gradient, keepAxes: true, 0, 2, 3);
        var centred = Subtract(
            Subtract(gradient, Divide(biasGradient, perChannel)), Multiply(normalised, Divide(weightGradient, perChannel)));
        var inputGradient = Multiply(Divide(Reshape(weight, -1, 1, 1), deviation), centred);
        return (inputGradient, Reshape(weightGradient, -1), Reshape(biasGradient, -1));
    }
}
