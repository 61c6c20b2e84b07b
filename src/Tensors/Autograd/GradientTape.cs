using VaeFunctions.Tensors;

namespace VaeFunctions.Autograd;

/// <summary>Reverse-mode differentiation over any back end that has the pull-backs: every operation runs there and writes down
/// how to go back.</summary>
/// <remarks>
/// A tape is one training step: run the model on it, call <see cref="Backward"/>, throw it away. In the formulas below dy is the
/// gradient of the operation's result; ⟨v⟩ₓ is v summed over the axes along which x was broadcast.
/// </remarks>
public sealed partial class GradientTape(ITapedBackend inner) : IGradientTape
{
    readonly List<TapeTensor> nodes = [];
    readonly Dictionary<Parameter, Tensor> parameters = [];
    readonly List<(Parameter Statistic, Tensor Value)> updates = [];
    int frozen;

    /// <summary>The gradient in one input, from that of the result: a new tensor or dy itself, for it is released when it has
    /// served.</summary>
    internal delegate Tensor Pullback(Tensor dy);

    public bool IsTraining => true;

    public Tensor Variable(Tensor value) => Record(value, true);

    public Tensor Constant(Tensor value) => Record(value, false);

    /// <inheritdoc/>
    /// <remarks>Those of what is in between are released on the way.</remarks>
    public Gradients Backward(Tensor loss)
    {
        ShapeRules.Backward(loss.Shape);
        var gradients = new Tensor?[nodes.Count];
        Dictionary<Tensor, int> holders = []; // two nodes may hold the same tensor, where a gradient passes unchanged
        if (Own(loss).Index >= 0) gradients[Own(loss).Index] = Hold(inner.FromValues([1], loss.Shape));
        for (var index = Own(loss).Index; index >= 0; index--)
        {
            if (nodes[index].Inputs.Length == 0 || gradients[index] is not { } dy) continue;
            foreach (var (input, pullback) in nodes[index].Inputs)
            {
                var contribution = Hold(pullback(dy));
                if (gradients[input.Index] is not { } sum)
                {
                    gradients[input.Index] = contribution;
                    continue;
                }
                gradients[input.Index] = Hold(sum + contribution);
                Drop(sum);
                Drop(contribution);
            }
            gradients[index] = null;
            Drop(dy);
        }
        return new Gradients(variable => Own(variable).Index is >= 0 and var index ? gradients[index] : null, parameters);

        Tensor Hold(Tensor tensor)
        {
            holders[tensor] = holders.GetValueOrDefault(tensor) + 1;
            return tensor;
        }

        void Drop(Tensor tensor)
        {
            if (--holders[tensor] == 0) inner.Release(tensor);
        }
    }

    public void ApplyUpdates()
    {
        foreach (var (statistic, value) in updates) inner.Assign(statistic.Value, value);
        updates.Clear();
    }

    TapeTensor Record(Tensor value, bool needsGradient, params ReadOnlySpan<(TapeTensor, Pullback)> inputs)
    {
        var node = new TapeTensor(this, value, needsGradient ? nodes.Count : -1, needsGradient ? Needed(inputs) : []);
        if (needsGradient) nodes.Add(node);
        return node;

        static (TapeTensor, Pullback)[] Needed(ReadOnlySpan<(TapeTensor Input, Pullback)> inputs)
        {
            List<(TapeTensor, Pullback)> needed = [];
            foreach (var input in inputs)
            {
                if (input.Input.Index >= 0) needed.Add(input);
            }
            return [.. needed];
        }
    }

    /// <summary>The same, needing a gradient where one of its inputs does.</summary>
    TapeTensor Record(Tensor value, params ReadOnlySpan<(TapeTensor Input, Pullback)> inputs)
    {
        var needsGradient = false;
        foreach (var input in inputs) needsGradient |= input.Input.Index >= 0;
        return Record(value, needsGradient, inputs);
    }

    TapeTensor Record(Tensor value, Tensor x, Pullback dx) => Record(value, Own(x).Index >= 0, (Own(x), dx));

    TapeTensor Record(Tensor value, Tensor a, Pullback da, Tensor b, Pullback db) =>
        Record(value, Own(a).Index >= 0 || Own(b).Index >= 0, (Own(a), da), (Own(b), db));

    /// <summary>The one cast of this back end.</summary>
    TapeTensor Own(Tensor tensor) => tensor is TapeTensor own && own.Backend == this
        ? own
        : throw new ArgumentException(
            $"This tape was given a {tensor}; bring it in with Variable, FromValues or FromParameter.", nameof(tensor));

    Tensor V(Tensor tensor) => Own(tensor).Value;

    /// <summary>What several inputs' gradients have in common, computed once for each dy.</summary>
    static Func<Tensor, TResult> Shared<TResult>(Func<Tensor, TResult> function)
    {
        (Tensor Dy, TResult Result)? known = null;
        return dy =>
        {
            if (known is null || !ReferenceEquals(known.Value.Dy, dy)) known = (dy, function(dy));
            return known.Value.Result;
        };
    }

    /// <summary>⟨v⟩ₓ: sums over the axes along which an operand of this shape was repeated.</summary>
    Tensor Unbroadcast(Tensor v, Shape shape)
    {
        if (v.Shape.Equals(shape)) return v;
        var added = v.Shape.Rank - shape.Rank;
        int[] axes = [.. Enumerable.Range(0, v.Shape.Rank).Where(
            axis => axis < added || (shape[axis - added] == 1 && v.Shape[axis] != 1))];
        var sum = axes.Length > 0 ? inner.ReduceSum(v, keepAxes: true, axes) : v;
        return inner.Reshape(sum, shape.Axes);
    }

    sealed class Thaw(GradientTape tape) : IDisposable
    {
        public void Dispose() => tape.frozen--;
    }

    /// <summary>A value and the way back to its inputs. Index −1: nothing upstream wants a gradient.</summary>
    internal sealed class TapeTensor(GradientTape tape, Tensor value, int index, (TapeTensor Input, Pullback Pullback)[] inputs)
        : Tensor(tape, value.Shape)
    {
        public Tensor Value { get; } = value;

        public int Index { get; } = index;

        public (TapeTensor Input, Pullback Pullback)[] Inputs { get; } = inputs;
    }
}
