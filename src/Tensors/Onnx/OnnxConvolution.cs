using System.Runtime.InteropServices;
using Google.Protobuf;
using VaeFunctions.Onnx.Protobuf;
using VaeFunctions.Tensors;

namespace VaeFunctions.Onnx;

/// <summary>The numbers of a pretrained convolution, with the batch normalisation after it folded in: y = Conv(x, weight) + bias,
/// weight = w · scale / √(variance + ε), bias = shift − mean · scale / √(variance + ε).</summary>
/// <param name="Weight">Of <paramref name="Shape"/>, row-major.</param>
/// <param name="Shape">[O, C, K, K]</param>
/// <param name="Bias">[O]</param>
public sealed record OnnxConvolution(float[] Weight, Shape Shape, float[] Bias)
{
    /// <summary>All convolutions of a graph in its order, which must be followed by a batch normalisation each.</summary>
    /// <param name="model">The content of an .onnx file.</param>
    /// <exception cref="InvalidDataException">It is no such graph; the message says what is missing.</exception>
    public static IReadOnlyList<OnnxConvolution> ReadAll(ReadOnlySpan<byte> model)
    {
        GraphProto graph;
        try
        {
            graph = ModelProto.Parser.ParseFrom(model).Graph ?? throw new InvalidDataException("It holds no graph.");
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException($"It is no ONNX file: {e.Message}", e);
        }
        var tensors = graph.Initializer.ToDictionary(tensor => tensor.Name);
        var normalizations = graph.Node.Where(node => node.OpType == "BatchNormalization").ToDictionary(node => node.Input[0]);
        return [.. graph.Node.Where(node => node.OpType == "Conv").Select(convolution =>
            normalizations.TryGetValue(convolution.Output[0], out var normalization)
                ? Fold(convolution, normalization, tensors)
                : throw new InvalidDataException($"No BatchNormalization follows the Conv that gives {convolution.Output[0]}."))];
    }

    static OnnxConvolution Fold(NodeProto convolution, NodeProto normalization, Dictionary<string, TensorProto> tensors)
    {
        var shape = new Shape([.. Tensor(convolution, 1).Dims.Select(axis => (int)axis)]);
        var weight = Values(convolution, 1, shape.Count);
        var perChannel = shape.Rank == 4 ? shape[0] : throw new InvalidDataException($"The weight of a Conv is {shape}.");
        float[] scale = Values(normalization, 1, perChannel), shift = Values(normalization, 2, perChannel);
        float[] mean = Values(normalization, 3, perChannel), variance = Values(normalization, 4, perChannel);
        var epsilon = normalization.Attribute.FirstOrDefault(attribute => attribute.Name == "epsilon")?.F ?? 1e-5f;
        var bias = new float[perChannel];
        for (var o = 0; o < perChannel; o++)
        {
            var factor = scale[o] / MathF.Sqrt(variance[o] + epsilon);
            bias[o] = shift[o] - mean[o] * factor;
            foreach (ref var value in weight.AsSpan(o * (shape.Count / perChannel), shape.Count / perChannel)) value *= factor;
        }
        return new(weight, shape, bias);

        TensorProto Tensor(NodeProto node, int input) =>
            input < node.Input.Count && tensors.TryGetValue(node.Input[input], out var tensor)
                ? tensor
                : throw new InvalidDataException($"{node.OpType} that gives {node.Output[0]} has no constant input {input}.");

        float[] Values(NodeProto node, int input, int count)
        {
            var tensor = Tensor(node, input);
            float[] values = tensor.FloatData.Count > 0
                ? [.. tensor.FloatData]
                : MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray();
            return values.Length == count
                ? values
                : throw new InvalidDataException(
                    $"Input {input} of {node.OpType} that gives {node.Output[0]} has {values.Length} numbers, not {count}.");
        }
    }
}
