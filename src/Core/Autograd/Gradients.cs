using VaeFunctions.Tensors;

namespace VaeFunctions.Autograd;

/// <summary>The gradients of a loss, on the back end that computed it.</summary>
public sealed class Gradients
{
    readonly Tensor?[] byNode;
    readonly IReadOnlyDictionary<Parameter, Tensor> parameters;

    internal Gradients(Tensor?[] byNode, IReadOnlyDictionary<Parameter, Tensor> parameters)
    {
        this.byNode = byNode;
        this.parameters = parameters;
    }

    /// <summary>The gradient in a variable, or null if the loss does not depend on it.</summary>
    public Tensor? this[Tensor variable] => ((GradientTape.TapeTensor)variable).Index is >= 0 and var index ? byNode[index] : null;

    /// <summary>The gradient in a parameter, or null if the loss does not depend on it.</summary>
    public Tensor? Of(Parameter parameter) => parameters.TryGetValue(parameter, out var variable) ? this[variable] : null;
}
