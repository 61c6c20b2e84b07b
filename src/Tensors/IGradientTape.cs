namespace VaeFunctions.Tensors;

/// <summary>One training step on a back end: run the model on the tape, call <see cref="Backward"/>, throw it away.</summary>
public interface IGradientTape : IBackend
{
    /// <summary>A tensor of the back end below whose gradient is wanted.</summary>
    Tensor Variable(Tensor value);

    /// <summary>A tensor of the back end below that has no gradient.</summary>
    Tensor Constant(Tensor value);

    /// <summary>The gradients of a scalar in every variable and parameter it depends on.</summary>
    /// <exception cref="ShapeException">The loss is no scalar.</exception>
    Gradients Backward(Tensor loss);

    /// <summary>Makes the updates of statistics that the step recorded. A step that is skipped leaves them as they
    /// were.</summary>
    void ApplyUpdates();
}
