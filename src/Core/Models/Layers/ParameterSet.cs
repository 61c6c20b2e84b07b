using System.Collections;
using VaeFunctions.Tensors;

namespace VaeFunctions.Models.Layers;

/// <summary>A model's parameters and statistics by name, in the order the model declares them, at home on one back end.</summary>
/// <param name="backend">Where they are kept and trained.</param>
/// <param name="seed">What the initial values follow from: a parameter's depend on the seed and its name alone.</param>
/// <param name="initialization">How layers begin; as PyTorch's do unless given.</param>
public sealed class ParameterSet(
    ITrainingBackend backend, ulong seed, Initialization? initialization = null) : IReadOnlyCollection<Parameter>
{
    /// <summary>The most numbers a model may have: with Adam's two moments a checkpoint then stays below the 2 GB of one
    /// file.</summary>
    public const int MaxNumbers = 178_000_000;

    readonly HashSet<string> names = [];
    readonly List<Parameter> ordered = [];

    public ITrainingBackend Backend { get; } = backend;

    public Initialization Initialization { get; } = initialization ?? Initialization.Default;

    /// <summary>The scope in which a model declares its parameters.</summary>
    public Scope Root => new(this, "");

    public int Count => ordered.Count;

    /// <summary>The numbers that training learns, in all.</summary>
    public int WeightCount =>
        ordered.Where(parameter => parameter.Kind == ParameterKind.Weight).Sum(parameter => parameter.Shape.Count);

    /// <exception cref="ModelOptionsException">The model would have more than <see cref="MaxNumbers"/>.</exception>
    internal Parameter Declare(string name, ParameterKind kind, Shape shape, Initializer initializer)
    {
        if (ordered.Sum(other => (long)other.Shape.Count) + shape.Count is var numbers and > MaxNumbers)
            throw new ModelOptionsException($"The model has {numbers:N0} or more weights (counted up to {name}); at most "
                + $"{MaxNumbers:N0} can be trained, "
                + "whose checkpoint, with the optimizer's moments, is a file of 2 GB. Choose smaller layers.");
        var values = initializer(new RandomStream(seed, name), shape.Count);
        var parameter = new Parameter(name, kind, Backend.FromValues(values, shape));
        if (!names.Add(name)) throw new InvalidOperationException($"The model declares the parameter {name} twice.");
        ordered.Add(parameter);
        return parameter;
    }

    public IEnumerator<Parameter> GetEnumerator() => ordered.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
