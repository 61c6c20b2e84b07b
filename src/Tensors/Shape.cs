namespace VaeFunctions.Tensors;

/// <summary>The extents of a tensor's axes, outermost first. Two shapes are equal when their axes are.</summary>
/// <remarks>An axis may be <see cref="Dynamic"/> in a graph that is only written down, such as the batch axis of an exported
/// model.</remarks>
public sealed class Shape : IEquatable<Shape>
{
    /// <summary>An axis whose extent is known only when a graph runs.</summary>
    public const int Dynamic = -1;

    readonly int[] axes;

    /// <exception cref="ShapeException">An axis is negative, or the element count does not fit an <see cref="int"/>.</exception>
    public Shape(params ReadOnlySpan<int> axes)
    {
        this.axes = axes.ToArray();
        long count = 1;
        foreach (var axis in axes)
        {
            if (axis == Dynamic)
            {
                IsDynamic = true;
                continue;
            }
            if (axis < 0) throw new ShapeException($"Shape {this}: an axis cannot be negative.");
            count = checked(count * axis);
            if (count > int.MaxValue) throw new ShapeException($"Shape {this} has more than {int.MaxValue} elements.");
        }
        Count = (int)count;
    }

    public static Shape Scalar { get; } = new();

    public int Rank => axes.Length;

    /// <summary>The number of elements; of a dynamic shape, those per dynamic index.</summary>
    public int Count { get; }

    public bool IsDynamic { get; }

    public ReadOnlySpan<int> Axes => axes;

    /// <summary>The extent of an axis; negative indices count from the innermost.</summary>
    public int this[int axis] => axes[axis < 0 ? axis + Rank : axis];

    /// <summary>The distance in elements between neighbours along each axis, of the dense row-major layout.</summary>
    public int[] Strides()
    {
        var strides = new int[Rank];
        for (int axis = Rank - 1, stride = 1; axis >= 0; stride *= axes[axis--]) strides[axis] = stride;
        return strides;
    }

    /// <summary>The shape two operands broadcast to, aligned at the innermost axis; an axis of 1 repeats.</summary>
    /// <exception cref="ShapeException">Two axes differ and neither is 1.</exception>
    public static Shape Broadcast(Shape left, Shape right, string operation)
    {
        if (left.Equals(right)) return left;
        var result = new int[Math.Max(left.Rank, right.Rank)];
        for (var i = 1; i <= result.Length; i++)
        {
            int a = i <= left.Rank ? left[-i] : 1, b = i <= right.Rank ? right[-i] : 1;
            if (a != b && a != 1 && b != 1)
                throw new ShapeException($"{operation}: left is {left} but right is {right}; axes must be equal or 1.");
            result[^i] = a == 1 ? b : a;
        }
        return new Shape(result);
    }

    /// <summary>Resolves ONNX's Reshape notation: 0 keeps the axis at that place, one -1 takes what is left.</summary>
    /// <exception cref="ShapeException">The element counts differ.</exception>
    public Shape Reshape(params ReadOnlySpan<int> target)
    {
        var result = target.ToArray();
        int unknown = -1;
        for (var i = 0; i < result.Length; i++)
        {
            if (result[i] == 0) result[i] = i < Rank ? axes[i] : throw Mismatch(target);
            else if (result[i] == -1) unknown = unknown < 0 ? i : throw Mismatch(target);
        }
        if (unknown >= 0)
        {
            result[unknown] = 1;
            var known = new Shape(result);
            if (known.Count == 0 || Count % known.Count != 0) throw Mismatch(target);
            result[unknown] = Count / known.Count;
        }
        var shape = new Shape(result);
        return shape.Count == Count && shape.IsDynamic == IsDynamic ? shape : throw Mismatch(target);
    }

    ShapeException Mismatch(ReadOnlySpan<int> target) =>
        new($"Reshape: {this} cannot become [{string.Join(", ", target.ToArray())}]; both must hold the same number of "
            + "elements.");

    public bool Equals(Shape? other) => other is not null && axes.AsSpan().SequenceEqual(other.axes);

    public override bool Equals(object? obj) => Equals(obj as Shape);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var axis in axes) hash.Add(axis);
        return hash.ToHashCode();
    }

    public override string ToString() => $"[{string.Join(", ", axes.Select(axis => axis == Dynamic ? "N" : axis.ToString()))}]";
}
