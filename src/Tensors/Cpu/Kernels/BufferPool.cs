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
/// <remarks>Other sizes come with the last batch of an epoch, with an evaluation, with a prior that is fitted. Were all kept,
/// memory would grow to several times what any step takes. So when a step must allocate, arrays of sizes that neither it nor the
/// last few have asked for are let go. A step is an outermost scope.</remarks>
sealed class BufferPool
{
    /// <summary>Floats that may lie unused in any case: 64 MB.</summary>
    const long LittleCount = 1 << 24;

    /// <summary>Sizes that were asked for so many steps back are kept: those of a batch, and of an epoch's last one.</summary>
    const int Recent = 2;

    readonly Dictionary<int, Size> sizes = [];
    readonly Stack<List<Buffer>> scopes = [];
    long unused, step;

    /// <summary>The unused arrays of one size, and the step, by number, that asked for one last.</summary>
    sealed class Size
    {
        public Stack<float[]> Unused { get; } = new();

        public long AskedIn { get; set; }
    }

    /// <summary>A buffer of exactly <paramref name="count"/> elements with undefined content.</summary>
    public Buffer Rent(int count)
    {
        var size = SizeOf(count);
        size.AskedIn = step;
        if (size.Unused.TryPop(out var values))
            unused -= count;
        else
        {
            MakeRoom();
            values = GC.AllocateUninitializedArray<float>(count);
        }
        var buffer = new Buffer(values);
        if (scopes.TryPeek(out var scope)) scope.Add(buffer);
        return buffer;
    }

    /// <summary>Takes a buffer back before its scope ends.</summary>
    public void Return(Buffer buffer)
    {
        var values = buffer.Release();
        SizeOf(values.Length).Unused.Push(values);
        unused += values.Length;
    }

    Size SizeOf(int count)
    {
        if (!sizes.TryGetValue(count, out var size)) sizes[count] = size = new();
        return size;
    }

    void MakeRoom()
    {
        if (unused <= LittleCount) return;
        foreach (var (count, size) in sizes)
        {
            if (size.AskedIn >= step - Recent) continue;
            unused -= (long)count * size.Unused.Count;
            sizes.Remove(count);
        }
    }

    public IDisposable BeginScope()
    {
        if (scopes.Count == 0) step++;
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
