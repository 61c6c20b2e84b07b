using TorchSharp;
using VaeFunctions.Tensors;

namespace VaeFunctions.Torch;

/// <summary>A step whose gradients libtorch's autograd finds. Parameters are leaves that share their values.</summary>
sealed class TorchTape(TorchBackend home, torch.Device device) : TorchOperations(device), IGradientTape
{
    readonly Dictionary<Parameter, Tensor> parameters = [];
    readonly Dictionary<Tensor, Tensor> gradients = [];
    readonly List<Tensor> leaves = [];
    readonly List<(Parameter Statistic, Tensor Value)> updates = [];
    int frozen;

    public override bool IsTraining => true;

    public Tensor Variable(Tensor value)
    {
        var leaf = New(home.Values(value).requires_grad_(), value.Shape);
        leaves.Add(leaf);
        return leaf;
    }

    public Tensor Constant(Tensor value) => New(home.Values(value), value.Shape);

    public override Tensor FromParameter(Parameter parameter)
    {
        if (!parameters.TryGetValue(parameter, out var tensor))
        {
            var value = home.FromParameter(parameter);
            parameters[parameter] = tensor = parameter.Kind == ParameterKind.Weight ? Variable(value) : Constant(value);
        }
        return frozen > 0 ? StopGradient(tensor) : tensor;
    }

    public override Tensor StopGradient(Tensor x) => New(V(x).detach(), x.Shape, x);

    public void Update(Parameter statistic, Tensor value) => updates.Add((statistic, home.Own(V(value).detach(), value.Shape)));

    public void ApplyUpdates()
    {
        foreach (var (statistic, value) in updates) home.Assign(statistic.Value, value);
        updates.Clear();
    }

    public IDisposable FreezeParameters()
    {
        frozen++;
        return new Thaw(this);
    }

    public Gradients Backward(Tensor loss)
    {
        ShapeRules.Backward(loss.Shape);
        if (V(loss).requires_grad) V(loss).backward();
        GC.KeepAlive(loss);
        foreach (var leaf in leaves)
        {
            if (V(leaf).grad is { } gradient) gradients[leaf] = home.Own(gradient, leaf.Shape);
        }
        return new(variable => gradients.GetValueOrDefault(variable), parameters);
    }

    sealed class Thaw(TorchTape tape) : IDisposable
    {
        public void Dispose() => tape.frozen--;
    }
}
