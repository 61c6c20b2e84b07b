using VaeFunctions.Tensors;

namespace VaeFunctions.Models.Layers;

/// <summary>A function of a tensor, with parameters or without. It runs on whatever back end its input comes from.</summary>
public interface ILayer
{
    Tensor Forward(Tensor x);
}

/// <summary>A layer that takes over the ReLU after it, which saves a pass over memory.</summary>
public interface IActivatedLayer : ILayer
{
    Tensor Forward(Tensor x, bool relu);

    Tensor ILayer.Forward(Tensor x) => Forward(x, relu: false);
}

/// <summary>Makes a layer whose parameters are declared in a scope.</summary>
public delegate ILayer Layer(Scope scope);
