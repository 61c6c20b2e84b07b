namespace VaeFunctions.Tensors;

/// <summary>The gradients of a loss, on the back end that computed it.</summary>
/// <param name="gradient">The gradient in a variable of the tape, null if the loss does not depend on it.</param>
/// <param name="parameters">The variables that stand for parameters.</param>
public sealed class Gradients(Func<Tensor, Tensor?> gradient, IReadOnlyDictionary<Parameter, Tensor> parameters)
{
    /// <summary>The gradient in a variable, or null if the loss does not depend on it.</summary>
    public Tensor? this[Tensor variable] => gradient(variable);

    /// <summary>The gradient in a parameter, or null if the loss does not depend on it.</summary>
    public Tensor? Of(Parameter parameter) => parameters.TryGetValue(parameter, out var variable) ? gradient(variable) : null;
}
