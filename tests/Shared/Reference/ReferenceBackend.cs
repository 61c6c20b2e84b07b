using VaeFunctions.Autograd;
using VaeFunctions.Tensors;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace VaeFunctions.Reference;

/// <summary>The living definition of every operation: plain loops in double precision, with no more done for speed than a quick
/// suite needs.</summary>
public class ReferenceBackend : ITapedBackend
{
    public IGradientTape Record() => new GradientTape(this);

    public IDisposable BeginScope() => NoScope.Instance;

    public Tensor FromValues(ReadOnlySpan<float> values, Shape shape)
    {
        var doubles = new double[values.Length];
        for (var i = 0; i < values.Length; i++) doubles[i] = values[i];
        return FromDoubles(doubles, shape);
    }

    /// <summary>A tensor with a copy of these values, row-major.</summary>
    /// <exception cref="ShapeException">There are not as many values as the shape has elements.</exception>
    public Tensor FromDoubles(ReadOnlySpan<double> values, Shape shape)
    {
        ShapeRules.Values(values.Length, shape);
        return new ReferenceTensor(this, values.ToArray(), shape);
    }

    /// <summary>The parameter itself where its values are doubles already, a copy of any other back end's.</summary>
    public Tensor FromParameter(Parameter parameter) =>
        parameter.Value is ReferenceTensor ? parameter.Value : FromValues(parameter.Value.ToArray(), parameter.Shape);

    public void CopyTo(Tensor tensor, Span<float> destination)
    {
        ShapeRules.CopyTo(tensor.Shape, destination.Length);
        var values = Values(tensor);
        for (var i = 0; i < values.Length; i++) destination[i] = (float)values[i];
    }

    public void Assign(Tensor target, Tensor value)
    {
        ShapeRules.Same(target.Shape, value.Shape, "Assign", "target", "value");
        Values(value).CopyTo(Values(target));
    }

    // --- element by element -------------------------------------------------------------------------------------------

    public Tensor Add(Tensor left, Tensor right) => Zip("Add", left, right, (a, b) => a + b);

    public Tensor Subtract(Tensor left, Tensor right) => Zip("Subtract", left, right, (a, b) => a - b);

    public Tensor Multiply(Tensor left, Tensor right) => Zip("Multiply", left, right, (a, b) => a * b);

    public Tensor Divide(Tensor left, Tensor right) => Zip("Divide", left, right, (a, b) => a / b);

    public Tensor Negate(Tensor x) => Map(x, a => -a);

    public Tensor Exp(Tensor x) => Map(x, Math.Exp);

    public Tensor Log(Tensor x) => Map(x, Math.Log);

    public Tensor Sqrt(Tensor x) => Map(x, Math.Sqrt);

    public Tensor Tanh(Tensor x) => Map(x, Math.Tanh);

    public Tensor Sigmoid(Tensor x) => Map(x, a => 1 / (1 + Math.Exp(-a)));

    public Tensor Softplus(Tensor x) => Map(x, a => Math.Max(a, 0) + LogOnePlus(Math.Exp(-Math.Abs(a))));

    public Tensor Relu(Tensor x) => Map(x, a => Math.Max(a, 0));

    public Tensor LeakyRelu(Tensor x, float slope) => Map(x, a => a >= 0 ? a : slope * a);

    public Tensor Clip(Tensor x, float low, float high) => Map(x, a => Math.Min(Math.Max(a, low), high));

    public Tensor Round(Tensor x) => Map(x, a => Math.Round(a, MidpointRounding.ToEven));

    public Tensor ReluGradient(Tensor x, Tensor gradient, float slope)
    {
        ShapeRules.Same(x.Shape, gradient.Shape, "ReluGradient");
        return Zip("ReluGradient", x, gradient, (a, g) => a > 0 ? g : slope * g);
    }

    public Tensor ClipGradient(Tensor x, Tensor gradient, float low, float high)
    {
        ShapeRules.Same(x.Shape, gradient.Shape, "ClipGradient");
        return Zip("ClipGradient", x, gradient, (a, g) => low <= a && a <= high ? g : 0);
    }

    // --- shape --------------------------------------------------------------------------------------------------------

    public Tensor Reshape(Tensor x, params ReadOnlySpan<int> shape) => FromDoubles(Values(x), x.Shape.Reshape(shape));

    public Tensor Transpose(Tensor x, params ReadOnlySpan<int> order)
    {
        var result = New(ShapeRules.Transpose(x.Shape, order));
        var strides = new int[order.Length];
        for (var i = 0; i < strides.Length; i++) strides[i] = x.Shape.Strides()[order[i]];
        for (var i = 0; i < result.Values.Length; i++) result.Values[i] = Values(x)[Offset(i, result.Shape, strides)];
        return result;
    }

    public Tensor Concat(int axis, params ReadOnlySpan<Tensor> parts)
    {
        var result = New(ShapeRules.Concat(axis, parts));
        axis = ShapeRules.Axis(result.Shape, axis, "Concat");
        var strides = result.Shape.Strides();
        var start = 0;
        foreach (var part in parts)
        {
            var values = Values(part);
            for (var i = 0; i < values.Length; i++) result.Values[start + Offset(i, part.Shape, strides)] = values[i];
            start += part.Shape[axis] * strides[axis];
        }
        return result;
    }

    public Tensor Slice(Tensor x, int axis, int start, int length)
    {
        var result = New(ShapeRules.Slice(x.Shape, axis, start, length));
        var strides = x.Shape.Strides();
        start *= strides[ShapeRules.Axis(x.Shape, axis, "Slice")];
        for (var i = 0; i < result.Values.Length; i++) result.Values[i] = Values(x)[start + Offset(i, result.Shape, strides)];
        return result;
    }

    // --- reductions and products --------------------------------------------------------------------------------------

    public Tensor ReduceSum(Tensor x, bool keepAxes, params ReadOnlySpan<int> axes)
    {
        var reduced = ShapeRules.ReducedAxes(x.Shape, axes);
        var kept = New(ShapeRules.Reduce(x.Shape, keepAxes: true, axes));
        var strides = kept.Shape.Strides();
        for (var axis = 0; axis < reduced.Length; axis++)
            if (reduced[axis])
                strides[axis] = 0;
        var values = Values(x);
        for (var i = 0; i < values.Length; i++) kept.Values[Offset(i, x.Shape, strides)] += values[i];
        return FromDoubles(kept.Values, ShapeRules.Reduce(x.Shape, keepAxes, axes));
    }

    public Tensor ArgMax(Tensor x)
    {
        var result = New(ShapeRules.ArgMax(x.Shape));
        var values = Values(x);
        var columns = x.Shape[-1];
        for (var row = 0; row < result.Values.Length; row++)
            for (var column = 1; column < columns; column++)
                if (values[row * columns + column] > values[row * columns + (int)result.Values[row]])
                    result.Values[row] = column;
        return result;
    }

    public Tensor MatMul(Tensor left, Tensor right, bool transposeLeft = false, bool transposeRight = false)
    {
        var result = New(ShapeRules.MatMul(left.Shape, right.Shape, transposeLeft, transposeRight));
        var a = Values(transposeLeft ? Transpose(left, 1, 0) : left);
        var b = Values(transposeRight ? right : Transpose(right, 1, 0));
        int rows = result.Shape[0], columns = result.Shape[1], inner = left.Shape[transposeLeft ? 0 : 1];
        for (var i = 0; i < rows; i++)
            for (var j = 0; j < columns; j++)
                result.Values[i * columns + j] = TensorPrimitives.Dot(a.AsSpan(i * inner, inner), b.AsSpan(j * inner, inner));
        return result;
    }

    public Tensor Conv(Tensor x, Tensor weight, Window window)
    {
        var result = New(ShapeRules.Conv(x.Shape, weight.Shape, window));
        var (input, kernel, output) = (Values(x), Values(weight), result.Values);
        ForEachRow(x.Shape, result.Shape, window, (i, w, o, count) =>
        {
            for (var k = 0; k < count; k++) output[o + k] += input[i + k * window.Stride] * kernel[w];
        });
        return result;
    }

    public Tensor MaxPool(Tensor x, Window window)
    {
        var result = New(ShapeRules.MaxPool(x.Shape, window));
        ForEachLargest(x, result.Shape, window, (place, largest) => result.Values[place] = Values(x)[largest]);
        return result;
    }

    public Tensor MaxPoolGradient(Tensor x, Tensor gradient, Window window)
    {
        var pooled = ShapeRules.MaxPool(x.Shape, window);
        ShapeRules.Same(gradient.Shape, pooled, "MaxPoolGradient", "gradient", $"the pool of {x.Shape}");
        var result = New(x.Shape);
        ForEachLargest(x, gradient.Shape, window, (place, largest) => result.Values[largest] += Values(gradient)[place]);
        return result;
    }

    /// <summary>Names every place of a pooling's output [N, C, H', W'] with that of the first largest element under its window;
    /// NaN is larger than anything.</summary>
    static void ForEachLargest(Tensor x, Shape output, Window window, Action<int, int> largest)
    {
        var values = Values(x);
        int height = x.Shape[2], width = x.Shape[3];
        for (var place = 0; place < output.Count; place++)
        {
            int column = place % output[3], row = place / output[3] % output[2], plane = place / output[3] / output[2];
            var best = -1;
            for (var ky = 0; ky < window.Kernel; ky++)
                for (var kx = 0; kx < window.Kernel; kx++)
                {
                    int i = row * window.Stride - window.Padding + ky, j = column * window.Stride - window.Padding + kx;
                    if (i < 0 || i >= height || j < 0 || j >= width) continue;
                    var at = (plane * height + i) * width + j;
                    if (best < 0 || values[at] > values[best] || (double.IsNaN(values[at]) && !double.IsNaN(values[best])))
                        best = at;
                }
            largest(place, best);
        }
    }

    public virtual Tensor ConvTranspose(Tensor x, Tensor weight, Window window)
    {
        var result = New(ShapeRules.ConvTranspose(x.Shape, weight.Shape, window));
        var (output, kernel, input) = (Values(x), Values(weight), result.Values);
        ForEachRow(result.Shape, x.Shape, window, (i, w, o, count) =>
        {
            for (var k = 0; k < count; k++) input[i + k * window.Stride] += output[o + k] * kernel[w];
        });
        return result;
    }

    public Tensor ConvWeightGradient(Tensor x, Tensor gradient, Window window)
    {
        var result = New(ShapeRules.ConvWeightGradient(x.Shape, gradient.Shape, window));
        var (input, kernel, output) = (Values(x), result.Values, Values(gradient));
        ForEachRow(x.Shape, gradient.Shape, window, (i, w, o, count) =>
        {
            for (var k = 0; k < count; k++) kernel[w] += input[i + k * window.Stride] * output[o + k];
        });
        return result;
    }

    /// <summary>The products of a weight with what lies under it while an output's row is made: for k below
    /// <paramref name="count"/>, of input[i + k · stride] and weight[w] for output[o + k].</summary>
    delegate void Row(int i, int w, int o, int count);

    /// <summary>Calls <paramref name="products"/> for each row of the output [N, O, H', W'] and each element of the weight
    /// [O, C, K, K], with their places there and in the input [N, C, H, W]. Padding makes no product.</summary>
    static void ForEachRow(Shape input, Shape output, Window window, Row products)
    {
        int channels = input[1], height = input[2], width = input[3], kernel = window.Kernel, stride = window.Stride;
        int outputs = output[1], rows = output[2], columns = output[3];
        for (var n = 0; n < output[0]; n++)
            for (var o = 0; o < outputs; o++)
                for (var c = 0; c < channels; c++)
                    for (var ky = 0; ky < kernel; ky++)
                        for (var kx = 0; kx < kernel; kx++)
                            for (var row = 0; row < rows; row++)
                            {
                                var y = row * stride - window.Padding + ky;
                                if (y < 0 || y >= height) continue;
                                int first = 0, end = columns;
                                while (first < end && first * stride - window.Padding + kx < 0) first++;
                                while (first < end && (end - 1) * stride - window.Padding + kx >= width) end--;
                                products(
                                    ((n * channels + c) * height + y) * width + first * stride - window.Padding + kx,
                                    ((o * channels + c) * kernel + ky) * kernel + kx,
                                    ((n * outputs + o) * rows + row) * columns + first,
                                    end - first);
                            }
    }

    // --- loops --------------------------------------------------------------------------------------------------------

    ReferenceTensor Map(Tensor x, Func<double, double> function) =>
        new(this, Array.ConvertAll(Values(x), a => function(a)), x.Shape);

    ReferenceTensor Zip(string operation, Tensor left, Tensor right, Func<double, double, double> function)
    {
        var result = New(Shape.Broadcast(left.Shape, right.Shape, operation));
        var (a, b) = (Values(left), Values(right));
        if (left.Shape.Equals(right.Shape))
        {
            for (var i = 0; i < a.Length; i++) result.Values[i] = function(a[i], b[i]);
            return result;
        }
        var (strides, otherStrides) = (BroadcastStrides(left.Shape, result.Shape), BroadcastStrides(right.Shape, result.Shape));
        for (var i = 0; i < result.Values.Length; i++)
            result.Values[i] = function(a[Offset(i, result.Shape, strides)], b[Offset(i, result.Shape, otherStrides)]);
        return result;
    }

    ReferenceTensor New(Shape shape) => new(this, new double[shape.Count], shape);

    static double[] Values(Tensor tensor) => tensor is ReferenceTensor reference
        ? reference.Values
        : throw new ArgumentException(
            $"ReferenceBackend cannot compute with a {tensor}; bring it over with FromValues or FromParameter.");

    /// <summary>Where the element lies, in memory of other strides, that comes at <paramref name="index"/> in row-major
    /// order.</summary>
    static int Offset(int index, Shape shape, int[] strides)
    {
        var offset = 0;
        for (var axis = shape.Rank - 1; axis >= 0; axis--)
        {
            offset += index % shape[axis] * strides[axis];
            index /= shape[axis];
        }
        return offset;
    }

    /// <summary>The strides of x along the axes of the shape it is broadcast to: 0 where it repeats.</summary>
    static int[] BroadcastStrides(Shape x, Shape result)
    {
        var strides = new int[result.Rank];
        for (var i = 1; i <= x.Rank; i++) strides[^i] = x[-i] == 1 ? 0 : x.Strides()[^i];
        return strides;
    }

    /// <summary>log(1 + x) without losing a small x. (Higham 2002, section 1.14.1)</summary>
    static double LogOnePlus(double x) => 1 + x == 1 ? x : Math.Log(1 + x) * x / (1 + x - 1);
}
