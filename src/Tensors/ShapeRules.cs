namespace VaeFunctions.Tensors;

/// <summary>What every operation demands of its operands' shapes, and the shape it gives: one place for all back ends.</summary>
/// <remarks>A <see cref="Shape.Dynamic"/> axis passes wherever an operation does not need its extent: the batch axis everywhere,
/// channels and image axes nowhere. Negative axes count from the innermost.</remarks>
public static class ShapeRules
{
    /// <summary>The values of a new tensor: as many as its shape has elements.</summary>
    public static Shape Values(int count, Shape shape)
    {
        if (shape.IsDynamic) throw new ShapeException($"FromValues: the shape is {shape}; every axis must have an extent.");
        return count == shape.Count
            ? shape
            : throw new ShapeException(
                $"FromValues: there are {count} values but shape {shape} has {shape.Count} elements; both must be equal.");
    }

    /// <summary>The copy of a tensor's values into memory of the same length.</summary>
    public static void CopyTo(Shape x, int length)
    {
        if (length != x.Count)
            throw new ShapeException(
                $"CopyTo: the tensor is {x}, {x.Count} elements, but the destination has {length}; both must be equal.");
    }

    /// <summary>Two operands of one shape, without broadcasting.</summary>
    public static Shape Same(Shape left, Shape right, string operation, string leftName = "left", string rightName = "right") =>
        left.Equals(right)
            ? left
            : throw new ShapeException(
                $"{operation}: {leftName} is {left} but {rightName} is {right}; the shapes must be equal.");

    /// <summary>An axis as an index from the outermost.</summary>
    public static int Axis(Shape x, int axis, string operation) => axis >= -x.Rank && axis < x.Rank
        ? axis < 0 ? axis + x.Rank : axis
        : throw new ShapeException($"{operation}: there is no axis {axis} in {x}; it must be from {-x.Rank} to {x.Rank - 1}.");

    public static Shape MatMul(Shape left, Shape right, bool transposeLeft, bool transposeRight)
    {
        if (left.Rank != 2 || right.Rank != 2)
            throw new ShapeException($"MatMul: left is {left} and right is {right}; both must be matrices.");
        var (rows, inner) = transposeLeft ? (left[1], left[0]) : (left[0], left[1]);
        var (innerRight, columns) = transposeRight ? (right[1], right[0]) : (right[0], right[1]);
        return inner == innerRight
            ? new Shape(rows, columns)
            : throw new ShapeException(
                $"MatMul: left is {Transposed(left, transposeLeft)} but right is {Transposed(right, transposeRight)}; the "
                    + "inner axes must match.");

        static string Transposed(Shape shape, bool transposed) => transposed ? $"{shape} transposed" : $"{shape}";
    }

    /// <summary>What has gradients is a scalar.</summary>
    public static void Backward(Shape loss)
    {
        if (loss.Count != 1) throw new ShapeException($"Backward: the loss is {loss}; it must have one element.");
    }

    /// <summary>x · weightᵀ + bias: [N, inputs], [outputs, inputs], [outputs] → [N, outputs].</summary>
    public static Shape Linear(Shape x, Shape weight, Shape bias)
    {
        if (x.Rank != 2 || weight.Rank != 2 || x[1] != weight[1])
            throw new ShapeException($"Linear: x is {x} but weight is {weight}; they must be [N, inputs] and [outputs, inputs].");
        if (bias.Rank != 1 || bias[0] != weight[0])
            throw new ShapeException($"Linear: weight is {weight} but bias is {bias}; bias must be [{weight[0]}].");
        return new Shape(x[0], weight[0]);
    }

    /// <summary>[N, C, H, W], [O, C, K, K] → [N, O, H', W']</summary>
    public static Shape Conv(Shape x, Shape weight, Window window)
    {
        Convolution("Conv", x, weight, window);
        if (x[1] != weight[1])
            throw new ShapeException(
                $"Conv: x is {x} but weight is {weight}; x has {x[1]} channels, the weight takes {weight[1]}.");
        return new Shape(x[0], weight[0], window.Convolved(x[2]), window.Convolved(x[3]));
    }

    /// <summary>[N, C, H, W], [C, O, K, K] → [N, O, H', W']</summary>
    public static Shape ConvTranspose(Shape x, Shape weight, Window window)
    {
        Convolution("ConvTranspose", x, weight, window);
        if (x[1] != weight[0])
            throw new ShapeException(
                $"ConvTranspose: x is {x} but weight is {weight}; x has {x[1]} channels, the weight takes {weight[0]}.");
        return new Shape(x[0], weight[1], window.Transposed(x[2]), window.Transposed(x[3]));
    }

    /// <summary>[N, C, H, W] → [N, C, H', W']</summary>
    public static Shape MaxPool(Shape x, Window window)
    {
        Image("MaxPool", "x", x);
        Check("MaxPool", window);
        if (2 * window.Padding > window.Kernel)
            throw new ShapeException(
                $"MaxPool: padding is {window.Padding} but the kernel {window.Kernel}; it must be at most half of that.");
        if (Math.Min(x[2], x[3]) + 2 * window.Padding < window.Kernel)
            throw new ShapeException(
                $"MaxPool: x is {x}; a kernel of {window.Kernel} does not fit an image padded by {window.Padding}.");
        return new Shape(x[0], x[1], window.Convolved(x[2]), window.Convolved(x[3]));
    }

    /// <summary>[N, C, H, W], [N, O, H', W'] → [O, C, K, K]</summary>
    public static Shape ConvWeightGradient(Shape x, Shape gradient, Window window)
    {
        Image("ConvWeightGradient", "x", x);
        Image("ConvWeightGradient", "gradient", gradient);
        Check("ConvWeightGradient", window);
        var expected = new Shape(x[0], gradient[1], window.Convolved(x[2]), window.Convolved(x[3]));
        Same(gradient, expected, "ConvWeightGradient", "gradient", $"the convolution of {x}");
        return new Shape(gradient[1], x[1], window.Kernel, window.Kernel);
    }

    /// <summary>One number per channel of an image: [N, C, H, W] and [C].</summary>
    public static void PerChannel(Shape x, Shape perChannel, string operation, string name)
    {
        Image(operation, "x", x);
        if (perChannel.Rank != 1 || perChannel[0] != x[1])
            throw new ShapeException(
                $"{operation}: x is {x} but {name} is {perChannel}; {name} must be [{x[1]}], one number per channel.");
    }

    /// <summary>Batch normalisation: [N, C, H, W] with weight, bias and, at inference, mean and variance of [C].</summary>
    public static Shape BatchNormalization(Shape x, Shape weight, Shape bias, Shape? mean = null, Shape? variance = null)
    {
        PerChannel(x, weight, "BatchNormalization", "weight");
        PerChannel(x, bias, "BatchNormalization", "bias");
        PerChannel(x, mean ?? weight, "BatchNormalization", "mean");
        PerChannel(x, variance ?? weight, "BatchNormalization", "variance");
        return x;
    }

    /// <summary>Group normalisation: [N, C, H, W] with weight and bias of [C].</summary>
    /// <returns>C / groups · H · W, over which a group's statistics are taken.</returns>
    public static int GroupNormalization(Shape x, Shape weight, Shape bias, int groups)
    {
        PerChannel(x, weight, "GroupNormalization", "weight");
        PerChannel(x, bias, "GroupNormalization", "bias");
        return groups > 0 && x[1] % groups == 0
            ? x[1] / groups * x[2] * x[3]
            : throw new ShapeException($"GroupNormalization: x is {x}; its {x[1]} channels do not make {groups} equal groups.");
    }

    /// <summary>N · H · W, over which batch statistics are taken.</summary>
    public static int ElementsPerChannel(Shape x) => x.IsDynamic
        ? throw new ShapeException($"BatchNormalizationTraining: x is {x}; statistics of a batch need its extent.")
        : x[0] * x[2] * x[3];

    /// <summary>Parts that differ in the extent of one axis at most; that extent is summed.</summary>
    public static Shape Concat(int axis, ReadOnlySpan<Tensor> parts)
    {
        if (parts.IsEmpty) throw new ShapeException("Concat: there are no parts; at least one is needed.");
        var first = parts[0].Shape;
        axis = Axis(first, axis, "Concat");
        var result = first.Axes.ToArray();
        result[axis] = 0;
        for (var p = 0; p < parts.Length; p++)
        {
            var part = parts[p].Shape;
            if (part.Rank != first.Rank || !Matches(part, result, axis))
                throw new ShapeException($"Concat: part 0 is {first} but part {p} is {part}; all axes but {axis} must be equal.");
            if (part[axis] == Shape.Dynamic)
                throw new ShapeException($"Concat: part {p} is {part}; axis {axis} must have an extent.");
            result[axis] += part[axis];
        }
        return new Shape(result);

        static bool Matches(Shape part, int[] expected, int except)
        {
            for (var i = 0; i < expected.Length; i++)
                if (i != except && part[i] != expected[i])
                    return false;
            return true;
        }
    }

    /// <summary>Elements [start, start + length) of one axis.</summary>
    public static Shape Slice(Shape x, int axis, int start, int length)
    {
        axis = Axis(x, axis, "Slice");
        var result = x.Axes.ToArray();
        if (result[axis] == Shape.Dynamic) throw new ShapeException($"Slice: x is {x}; axis {axis} must have an extent.");
        if (start < 0 || length < 0 || start > result[axis] - length)
            throw new ShapeException(
                $"Slice: x is {x} but {length} elements from {start} were asked of axis {axis}; it has {result[axis]}.");
        result[axis] = length;
        return new Shape(result);
    }

    /// <summary>The axes in another order, which names each exactly once, from the outermost.</summary>
    public static Shape Transpose(Shape x, ReadOnlySpan<int> order)
    {
        var result = new int[x.Rank];
        var seen = new bool[x.Rank];
        if (order.Length != x.Rank) throw Wrong(order);
        for (var i = 0; i < order.Length; i++)
        {
            if (order[i] < 0 || order[i] >= x.Rank || seen[order[i]]) throw Wrong(order);
            seen[order[i]] = true;
            result[i] = x[order[i]];
        }
        return new Shape(result);

        ShapeException Wrong(ReadOnlySpan<int> order) =>
            new($"Transpose: x is {x} but the order is [{string.Join(", ", order.ToArray())}]; it must name every axis from 0 "
                + $"to {x.Rank - 1} once.");
    }

    /// <summary>The named axes gone, or 1 if kept; all axes where none is named.</summary>
    public static Shape Reduce(Shape x, bool keepAxes, ReadOnlySpan<int> axes)
    {
        var reduced = ReducedAxes(x, axes);
        var result = new List<int>(x.Rank);
        for (var i = 0; i < x.Rank; i++)
        {
            if (!reduced[i]) result.Add(x[i]);
            else if (keepAxes) result.Add(1);
        }
        return new Shape([.. result]);
    }

    /// <summary>[…, K] → […]</summary>
    public static Shape ArgMax(Shape x) => x.Rank > 0 && x[-1] > 0
        ? new Shape(x.Axes[..^1])
        : throw new ShapeException($"ArgMax: x is {x}; its innermost axis must have an element.");

    /// <summary>For every axis of x, whether a reduction over the named axes (all where none is named) sums over it.</summary>
    public static bool[] ReducedAxes(Shape x, ReadOnlySpan<int> axes)
    {
        var reduced = new bool[x.Rank];
        if (axes.IsEmpty) Array.Fill(reduced, true);
        foreach (var axis in axes)
        {
            var index = Axis(x, axis, "ReduceSum");
            if (reduced[index]) throw new ShapeException($"ReduceSum: x is {x} and axis {axis} is named twice; name it once.");
            reduced[index] = true;
        }
        return reduced;
    }

    static void Convolution(string operation, Shape x, Shape weight, Window window)
    {
        Image(operation, "x", x);
        Check(operation, window);
        if (weight.Rank != 4 || weight[2] != window.Kernel || weight[3] != window.Kernel)
            throw new ShapeException(
                $"{operation}: the kernel is {window.Kernel} but weight is {weight}; it must have four axes, the last two of "
                    + $"{window.Kernel}.");
    }

    static void Image(string operation, string name, Shape x)
    {
        if (x.Rank != 4 || x[1] == Shape.Dynamic || x[2] == Shape.Dynamic || x[3] == Shape.Dynamic)
            throw new ShapeException(
                $"{operation}: {name} is {x}; it must be [batch, channels, height, width], and only the batch may be unknown.");
    }

    static void Check(string operation, Window window)
    {
        if (window.Kernel < 1 || window.Stride < 1 || window.Padding < 0 || window.OutputPadding < 0)
            throw new ShapeException($"{operation}: {window}; kernel and stride must be at least 1, paddings at least 0.");
    }
}
