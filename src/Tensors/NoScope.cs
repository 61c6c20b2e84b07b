namespace VaeFunctions.Tensors;

/// <summary>The scope of a back end whose tensors the garbage collector releases.</summary>
public sealed class NoScope : IDisposable
{
    public static NoScope Instance { get; } = new();

    public void Dispose()
    {
    }
}
