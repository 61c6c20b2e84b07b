namespace VaeFunctions.Tensors;

/// <summary>Rows of bytes in a device's memory, copied there once. Disposing of it frees that memory.</summary>
public interface IResidentRows : IDisposable
{
    /// <summary>Some of the rows, in this order, as numbers from 0 to 255.</summary>
    /// <param name="backend">The back end that keeps them, or a tape of its.</param>
    /// <param name="places">[N], each from 0 to below the count of rows.</param>
    /// <param name="shape">[N, …], the axes after the first being those of a row.</param>
    Tensor Take(IBackend backend, ReadOnlySpan<int> places, Shape shape);
}
