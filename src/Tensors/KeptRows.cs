namespace VaeFunctions.Tensors;

/// <summary>Rows of bytes in a device's memory, copied there once. Disposing frees that memory.</summary>
/// <param name="take">Rows by their places, under a shape.</param>
/// <param name="memory">What holds them.</param>
public sealed class KeptRows(Func<int[], Shape, Tensor> take, IDisposable memory) : IDisposable
{
    /// <summary>Some of the rows, in this order, as numbers from 0 to 255, on the back end that keeps them.</summary>
    /// <param name="places">[N], each from 0 and below the number of rows.</param>
    /// <param name="shape">[N, …], the axes after the first being those of a row.</param>
    public Tensor Take(int[] places, Shape shape) => take(places, shape);

    public void Dispose() => memory.Dispose();
}
