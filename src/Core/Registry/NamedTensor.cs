using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using VaeFunctions.Tensors;

namespace VaeFunctions.Registry;

/// <summary>A tensor as a file holds it: a name, a type, a shape and the elements' bytes, row-major.</summary>
public sealed record NamedTensor
{
    /// <exception cref="CheckpointException">The bytes are not exactly the shape's elements.</exception>
    public NamedTensor(string name, ElementType type, Shape shape, ReadOnlyMemory<byte> data)
    {
        if (shape.IsDynamic || data.Length != (long)shape.Count * type.Size)
            throw new CheckpointException(
                $"Tensor \"{name}\" has {data.Length} bytes, but {type} {shape} takes {(long)shape.Count * type.Size}.");
        (Name, Type, Shape, Data) = (name, type, shape, data);
    }

    /// <summary>An F32 tensor; the values are copied.</summary>
    public NamedTensor(string name, Shape shape, ReadOnlySpan<float> values)
        : this(name, ElementType.F32, shape, MemoryMarshal.AsBytes(values).ToArray()) { }

    /// <summary>An I64 tensor; the values are copied.</summary>
    public NamedTensor(string name, Shape shape, ReadOnlySpan<long> values)
        : this(name, ElementType.I64, shape, MemoryMarshal.AsBytes(values).ToArray()) { }

    public string Name { get; }

    public ElementType Type { get; }

    public Shape Shape { get; }

    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>A copy of the elements, rounded to float where the file is wider.</summary>
    /// <exception cref="CheckpointException">The elements are not floating-point numbers.</exception>
    public float[] ToFloats()
    {
        var result = new float[Shape.Count];
        switch (Type)
        {
            case ElementType.F32:
                CopyTo<float>(result);
                break;
            case ElementType.F64:
                TensorPrimitives.ConvertTruncating<double, float>(CopyTo(new double[Shape.Count]), result);
                break;
            case ElementType.F16:
                TensorPrimitives.ConvertToSingle(CopyTo(new Half[Shape.Count]), result);
                break;
            case ElementType.BF16: // the upper half of a float
                var upper = CopyTo(new ushort[Shape.Count]);
                for (var i = 0; i < result.Length; i++) result[i] = BitConverter.UInt32BitsToSingle((uint)upper[i] << 16);
                break;
            default:
                throw new CheckpointException(
                    $"Tensor \"{Name}\" is {Type}; floating-point numbers (F32, F64, F16 or BF16) were expected.");
        }
        return result;
    }

    /// <summary>A copy of the elements of an I64 tensor.</summary>
    /// <exception cref="CheckpointException">The elements are of another type.</exception>
    public long[] ToInt64s() => Type == ElementType.I64
        ? CopyTo(new long[Shape.Count])
        : throw new CheckpointException($"Tensor \"{Name}\" is {Type}; I64 was expected.");

    // A copy, not a cast: the bytes need not be aligned.
    T[] CopyTo<T>(T[] target) where T : unmanaged
    {
        Data.Span.CopyTo(MemoryMarshal.AsBytes(target.AsSpan()));
        return target;
    }
}
