using VaeFunctions.Tensors;

namespace VaeFunctions.Layers;

/// <summary>A function of a tensor, with parameters or without. It runs on whatever back end its input comes from.</summary>
public interface ILayer
{
    Tensor Forward(Tensor x);
}

/// <summary>Makes a layer whose parameters are declared in a scope.</summary>
public delegate ILayer Layer(Scope scope);
