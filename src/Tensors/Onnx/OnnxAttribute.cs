using VaeFunctions.Onnx.Protobuf;

namespace VaeFunctions.Onnx;

/// <summary>The attributes of nodes, by the type of their value.</summary>
static class OnnxAttribute
{
    public static AttributeProto Of(string name, float value) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Float, F = value };

    public static AttributeProto Of(string name, long value) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Int, I = value };

    public static AttributeProto Of(string name, IEnumerable<long> values) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Ints, Ints = { values } };
}
