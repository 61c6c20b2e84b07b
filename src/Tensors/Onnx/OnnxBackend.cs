using VaeFunctions.Onnx.Protobuf;
using VaeFunctions.Tensors;

namespace VaeFunctions.Onnx;

/// <summary>Computes nothing: every operation becomes a node of a graph, under its ONNX name.</summary>
public sealed class OnnxBackend : IBackend
{
    readonly OnnxGraph graph;

    internal OnnxBackend(OnnxGraph graph) => this.graph = graph;

    public IDisposable BeginScope() => NoScope.Instance;

    public Tensor FromValues(ReadOnlySpan<float> values, Shape shape) => graph.Constant(values, OnnxType.Float, shape);

    /// <summary>An initializer with the values that the parameter has now.</summary>
    public Tensor FromParameter(Parameter parameter) => graph.Parameter(parameter);

    public void CopyTo(Tensor tensor, Span<float> destination) => throw new NotSupportedException(
        $"{tensor} has no values: the ONNX back end only writes the graph down. Save it and run it with ONNX Runtime, or use "
            + "another back end.");

    // --- element by element -------------------------------------------------------------------------------------------

    public Tensor Add(Tensor left, Tensor right) => Broadcast("Add", left, right);

    public Tensor Subtract(Tensor left, Tensor right) => Broadcast("Sub", left, right);

    public Tensor Multiply(Tensor left, Tensor right) => Broadcast("Mul", left, right);

    public Tensor Divide(Tensor left, Tensor right) => Broadcast("Div", left, right);

    public Tensor Negate(Tensor x) => Node("Neg", x.Shape, [x]);

    public Tensor Exp(Tensor x) => Node("Exp", x.Shape, [x]);

    public Tensor Log(Tensor x) => Node("Log", x.Shape, [x]);

    public Tensor Sqrt(Tensor x) => Node("Sqrt", x.Shape, [x]);

    public Tensor Tanh(Tensor x) => Node("Tanh", x.Shape, [x]);

    public Tensor Sigmoid(Tensor x) => Node("Sigmoid", x.Shape, [x]);

    public Tensor Softplus(Tensor x) => Node("Softplus", x.Shape, [x]);

    public Tensor Relu(Tensor x) => Node("Relu", x.Shape, [x]);

    public Tensor LeakyRelu(Tensor x, float slope) => Node("LeakyRelu", x.Shape, [x], OnnxAttribute.Of("alpha", slope));

    public Tensor Clip(Tensor x, float low, float high) => Node("Clip", x.Shape, [x, Scalar(low), Scalar(high)]);

    public Tensor Round(Tensor x) => Node("Round", x.Shape, [x]);

    // --- shape --------------------------------------------------------------------------------------------------------

    public Tensor Reshape(Tensor x, params ReadOnlySpan<int> shape) => Node("Reshape", x.Shape.Reshape(shape), [x, Whole(shape)]);

    public Tensor Transpose(Tensor x, params ReadOnlySpan<int> order) =>
        Node("Transpose", ShapeRules.Transpose(x.Shape, order), [x], OnnxAttribute.Of("perm", Longs(order)));

    public Tensor Concat(int axis, params ReadOnlySpan<Tensor> parts) =>
        Node("Concat", ShapeRules.Concat(axis, parts), parts, OnnxAttribute.Of("axis", axis));

    public Tensor Slice(Tensor x, int axis, int start, int length) =>
        Node("Slice", ShapeRules.Slice(x.Shape, axis, start, length), [x, Whole(start), Whole(start + length), Whole(axis)]);

    // --- reductions and products --------------------------------------------------------------------------------------

    public Tensor ReduceSum(Tensor x, bool keepAxes, params ReadOnlySpan<int> axes)
    {
        var shape = ShapeRules.Reduce(x.Shape, keepAxes, axes);
        return Node("ReduceSum", shape, axes.IsEmpty ? [x] : [x, Whole(axes)], OnnxAttribute.Of("keepdims", keepAxes ? 1 : 0));
    }

    public Tensor ArgMax(Tensor x)
    {
        var shape = ShapeRules.ArgMax(x.Shape);
        var index =
            graph.Node("ArgMax", OnnxType.Int64, shape, [Own(x)], OnnxAttribute.Of("axis", -1), OnnxAttribute.Of("keepdims", 0));
        return graph.Cast(index, OnnxType.Float);
    }

    public Tensor MatMul(Tensor left, Tensor right, bool transposeLeft = false, bool transposeRight = false)
    {
        var shape = ShapeRules.MatMul(left.Shape, right.Shape, transposeLeft, transposeRight);
        return transposeLeft || transposeRight
            ? Gemm(shape, [left, right], transposeLeft, transposeRight)
            : Node("MatMul", shape, [left, right]);
    }

    public Tensor Linear(Tensor x, Tensor weight, Tensor bias) =>
        Gemm(ShapeRules.Linear(x.Shape, weight.Shape, bias.Shape), [x, weight, bias], transposeLeft: false, transposeRight: true);

    public Tensor Conv(Tensor x, Tensor weight, Window window) =>
        Node("Conv", ShapeRules.Conv(x.Shape, weight.Shape, window), [x, weight], Attributes(window));

    public Tensor ConvTranspose(Tensor x, Tensor weight, Window window) =>
        Node("ConvTranspose", ShapeRules.ConvTranspose(x.Shape, weight.Shape, window), [x, weight],
            [.. Attributes(window), OnnxAttribute.Of("output_padding", [window.OutputPadding, window.OutputPadding])]);

    public Tensor MaxPool(Tensor x, Window window) =>
        Node("MaxPool", ShapeRules.MaxPool(x.Shape, window), [x], Attributes(window));

    /// <summary>By way of InstanceNormalization, which takes each group for a channel; an operator for groups came with opset
    /// 21.</summary>
    public Tensor GroupNormalization(Tensor x, Tensor weight, Tensor bias, int groups, float epsilon)
    {
        ShapeRules.GroupNormalization(x.Shape, weight.Shape, bias.Shape, groups);
        var grouped = Reshape(x, 0, groups, -1);
        var one = FromValues([.. Enumerable.Repeat(1f, groups)], new(groups));
        var normalised = Node("InstanceNormalization", grouped.Shape, [grouped, one, FromValues(new float[groups], new(groups))],
            OnnxAttribute.Of("epsilon", epsilon));
        return Add(Multiply(Reshape(normalised, 0, x.Shape[1], x.Shape[2], x.Shape[3]), Reshape(weight, -1, 1, 1)),
            Reshape(bias, -1, 1, 1));
    }

    /// <summary>The bias of the convolution before it, or an addition.</summary>
    public Tensor AddPerChannel(Tensor x, Tensor bias)
    {
        ShapeRules.PerChannel(x.Shape, bias.Shape, "AddPerChannel", "bias");
        return Own(x).Producer is { Operator: "Conv" or "ConvTranspose", Inputs: [var image, var weight] } convolution
            ? Node(convolution.Operator, x.Shape, [image, weight, bias], convolution.Attributes)
            : Add(x, Reshape(bias, -1, 1, 1));
    }

    public Tensor BatchNormalization(Tensor x, Tensor mean, Tensor variance, Tensor weight, Tensor bias, float epsilon) =>
        Node("BatchNormalization", ShapeRules.BatchNormalization(x.Shape, weight.Shape, bias.Shape, mean.Shape, variance.Shape),
            [x, weight, bias, mean, variance], OnnxAttribute.Of("epsilon", epsilon));

    // --- nodes --------------------------------------------------------------------------------------------------------

    /// <exception cref="ArgumentException">The tensor is another back end's or another graph's.</exception>
    internal OnnxTensor Own(Tensor tensor) => tensor is OnnxTensor own && own.Backend == this
        ? own
        : throw new ArgumentException(
            $"{tensor} is not of this graph; declare it as an input, or bring it over with FromValues or FromParameter.");

    OnnxTensor Scalar(float value) => graph.Constant([value], OnnxType.Float, Shape.Scalar);

    OnnxTensor Whole(params ReadOnlySpan<int> values) =>
        graph.Constant<long>(Longs(values), OnnxType.Int64, new Shape(values.Length));

    OnnxTensor Broadcast(string @operator, Tensor left, Tensor right) =>
        Node(@operator, Shape.Broadcast(left.Shape, right.Shape, @operator), [left, right]);

    OnnxTensor Gemm(Shape shape, ReadOnlySpan<Tensor> operands, bool transposeLeft, bool transposeRight) =>
        Node("Gemm", shape, operands, OnnxAttribute.Of("transA", transposeLeft ? 1 : 0), OnnxAttribute.Of(
            "transB", transposeRight ? 1 : 0));

    OnnxTensor Node(string @operator, Shape shape, ReadOnlySpan<Tensor> operands, params AttributeProto[] attributes)
    {
        var own = new OnnxTensor[operands.Length];
        for (var i = 0; i < own.Length; i++) own[i] = Own(operands[i]);
        return graph.Node(@operator, OnnxType.Float, shape, own, attributes);
    }

    static AttributeProto[] Attributes(Window window) =>
    [
        OnnxAttribute.Of("kernel_shape", [window.Kernel, window.Kernel]),
        OnnxAttribute.Of("strides", [window.Stride, window.Stride]),
        OnnxAttribute.Of("pads", [window.Padding, window.Padding, window.Padding, window.Padding]),
    ];

    static long[] Longs(ReadOnlySpan<int> values)
    {
        var longs = new long[values.Length];
        for (var i = 0; i < longs.Length; i++) longs[i] = values[i];
        return longs;
    }
}
