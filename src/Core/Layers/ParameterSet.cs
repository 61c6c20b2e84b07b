using System.Collections;
using VaeFunctions.Tensors;

namespace VaeFunctions.Layers;

/// <summary>A model's parameters and statistics by name, in the order the model declares them, at home on one back end.</summary>
/// <param name="backend">Where they are kept and trained.</param>
/// <param name="seed">What the initial values follow from: a parameter's depend on the seed and its name alone.</param>
public sealed class ParameterSet(ITrainingBackend backend, ulong seed) : IReadOnlyCollection<Parameter>
{
    readonly HashSet<string> names = [];
    readonly List<Parameter> ordered = [];

    public ITrainingBackend Backend { get; } = backend;

    /// <summary>The scope in which a model declares its parameters.</summary>
    public Scope Root => new(this, "");

    public int Count => ordered.Count;

    /// <summary>The numbers that training learns, in all.</summary>
    public int WeightCount => ordered.Where(parameter => parameter.Kind == ParameterKind.Weight).Sum(parameter => parameter.Shape.Count);

    internal Parameter Declare(string name, ParameterKind kind, Shape shape, Initializer initializer)
    {
        var values = initializer(new RandomStream(seed, name), shape.Count);
        var parameter = new Parameter(name, kind, Backend.FromValues(values, shape));
        if (!names.Add(name)) throw new InvalidOperationException($"The model declares the parameter {name} twice.");
        ordered.Add(parameter);
        return parameter;
    }

    public IEnumerator<Parameter> GetEnumerator() => ordered.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
