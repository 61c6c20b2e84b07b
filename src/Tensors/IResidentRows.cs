namespace VaeFunctions.Tensors;

/// <summary>Rows of bytes in a device's memory, copied there once. Disposing frees that memory.</summary>
public interface IResidentRows : IDisposable
{
    /// <summary>Some of the rows, in this order, as numbers from 0 to 255.</summary>
    /// <param name="backend">The back end that keeps them, or one of its tapes.</param>
    /// <param name="places">[N], each from 0 and below the number of rows.</param>
    /// <param name="shape">[N, …], the axes after the first being those of a row.</param>
    Tensor Take(IBackend backend, ReadOnlySpan<int> places, Shape shape);
}
