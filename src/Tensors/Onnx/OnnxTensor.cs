using System.Diagnostics.CodeAnalysis;
using VaeFunctions.Onnx.Protobuf;
using VaeFunctions.Tensors;

namespace VaeFunctions.Onnx;

/// <summary>The element type of a graph's input or output.</summary>
[SuppressMessage("Naming", "CA1720", Justification = "These are ONNX's names.")]
public enum OnnxType
{
    Float = TensorProto.Types.DataType.Float,
    UInt8 = TensorProto.Types.DataType.Uint8,
    Int64 = TensorProto.Types.DataType.Int64,
}

/// <summary>A named value of a graph: an input, an initializer, or the result of a node.</summary>
sealed class OnnxTensor(OnnxBackend backend, string name, OnnxType type, Shape shape) : Tensor(backend, shape)
{
    public string Name { get; set; } = name;

    public OnnxType Type { get; } = type;

    /// <summary>The node that computes it.</summary>
    public OnnxNode? Producer { get; init; }

    /// <summary>Its values, where they are part of the graph.</summary>
    public ReadOnlyMemory<byte>? Values { get; init; }
}

/// <summary>One application of an ONNX operator, with one result.</summary>
sealed record OnnxNode(string Name, string Operator, OnnxTensor[] Inputs, AttributeProto[] Attributes);
