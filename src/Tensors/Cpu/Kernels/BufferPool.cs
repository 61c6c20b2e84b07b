namespace VaeFunctions.Cpu.Kernels;

/// <summary>The memory of one tensor and of those that show it under other shapes. It goes back to the pool when its scope ends,
/// or before that when all of them have been released.</summary>
sealed class Buffer(float[] values)
{
    float[]? values = values;

    /// <summary>Tensors that show this memory.</summary>
    public int Views { get; set; }

    public bool IsReleased => values is null;

    /// <exception cref="ObjectDisposedException">The scope the tensor was computed in has ended.</exception>
    public float[] Values =>
        values ?? throw new ObjectDisposedException("Tensor", "The scope in which this tensor was computed has ended.");

    public float[] Release()
    {
        var released = Values;
        values = null;
        return released;
    }
}

/// <summary>Keeps arrays between the steps of a training, whose tensors have the same sizes every time.</summary>
sealed class BufferPool
{
    readonly Dictionary<int, Stack<float[]>> free = [];
    readonly Stack<List<Buffer>> scopes = [];

    /// <summary>A buffer of exactly <paramref name="count"/> elements with undefined content.</summary>
    public Buffer Rent(int count)
    {
        var buffer = new Buffer(free.TryGetValue(count, out var stack) && stack.TryPop(out var values)
            ? values
            : GC.AllocateUninitializedArray<float>(count));
        if (scopes.TryPeek(out var scope)) scope.Add(buffer);
        return buffer;
    }

    /// <summary>Takes a buffer back before its scope ends.</summary>
    public void Return(Buffer buffer)
    {
        var values = buffer.Release();
        if (!free.TryGetValue(values.Length, out var stack)) free[values.Length] = stack = new();
        stack.Push(values);
    }

    public IDisposable BeginScope()
    {
        scopes.Push([]);
        return new Scope(this);
    }

    void EndScope()
    {
        foreach (var buffer in scopes.Pop())
        {
            if (!buffer.IsReleased) Return(buffer);
        }
    }

    sealed class Scope(BufferPool pool) : IDisposable
    {
        BufferPool? pool = pool;

        public void Dispose()
        {
            pool?.EndScope();
            pool = null;
        }
    }
}
