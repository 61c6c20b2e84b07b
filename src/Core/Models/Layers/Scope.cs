using VaeFunctions.Tensors;

namespace VaeFunctions.Models.Layers;

/// <summary>A place in the tree of names: what is declared in <c>scope / "encoder" / 0</c> is called
/// <c>encoder.0.…</c>.</summary>
public sealed class Scope
{
    readonly ParameterSet parameters;
    readonly string prefix;

    internal Scope(ParameterSet parameters, string prefix) => (this.parameters, this.prefix) = (parameters, prefix);

    /// <summary>How this model's layers begin.</summary>
    public Initialization Initialization => parameters.Initialization;

    public static Scope operator /(Scope scope, string name) => new(scope.parameters, $"{scope.prefix}{name}.");

    public static Scope operator /(Scope scope, int index) => new(scope.parameters, $"{scope.prefix}{index}.");

    public Parameter Weight(string name, Shape shape, Initializer initializer) =>
        parameters.Declare(prefix + name, ParameterKind.Weight, shape, initializer);

    public Parameter Statistic(string name, Shape shape, float initial) => Statistic(name, shape, Initializers.Constant(initial));

    public Parameter Statistic(string name, Shape shape, Initializer initializer) =>
        parameters.Declare(prefix + name, ParameterKind.Statistic, shape, initializer);

    public Parameter Counter(string name) =>
        parameters.Declare(prefix + name, ParameterKind.Counter, Shape.Scalar, Initializers.Constant(0));
}
