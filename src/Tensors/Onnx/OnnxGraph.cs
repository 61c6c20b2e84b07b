using System.Runtime.InteropServices;
using Google.Protobuf;
using VaeFunctions.Onnx.Protobuf;
using VaeFunctions.Tensors;

namespace VaeFunctions.Onnx;

/// <summary>An ONNX graph being written: run a model on the tensors of <see cref="Input"/>, name its results with
/// <see cref="Output"/>, save.</summary>
/// <remarks>Opset 17 and IR version 8, so that every current runtime accepts it. A <see cref="Shape.Dynamic"/> axis is the batch,
/// "N". What no output needs is left out. The same calls give the same bytes.</remarks>
public sealed class OnnxGraph
{
    readonly string name;
    readonly HashSet<string> names = [];
    readonly List<OnnxTensor> inputs = [], outputs = [], results = [];
    readonly Dictionary<string, (Parameter Parameter, OnnxTensor Tensor)> parameters = [];
    readonly Dictionary<(OnnxType, Shape, ByteString), OnnxTensor> constants = [];
    readonly Dictionary<string, int> counters = [];

    public OnnxGraph(string name)
    {
        this.name = name;
        Backend = new OnnxBackend(this);
    }

    /// <summary>The back end whose operations become nodes of this graph.</summary>
    public OnnxBackend Backend { get; }

    /// <summary>Kept with the graph for whoever loads it, such as the model's name and version.</summary>
    public IDictionary<string, string> Metadata { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Declares an input. Bytes and whole numbers are cast at once, so that a model only meets floats.</summary>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public Tensor Input(string name, OnnxType type, Shape shape)
    {
        var input = new OnnxTensor(Backend, Take(name), type, shape);
        inputs.Add(input);
        return type == OnnxType.Float ? input : Cast(input, OnnxType.Float);
    }

    /// <summary>Declares an output. A cast to bytes cuts fractions off and is undefined outside 0 to 255: round and clip
    /// first.</summary>
    /// <exception cref="ArgumentException">The name is taken, or the value is another graph's.</exception>
    public void Output(string name, Tensor value, OnnxType type = OnnxType.Float)
    {
        var output = Backend.Own(value);
        Take(name);
        if (type != output.Type) output = Cast(output, type);
        else if (output.Producer is null || outputs.Contains(output)) output = Node("Identity", type, output.Shape, [output]);
        output.Name = name;
        outputs.Add(output);
    }

    /// <summary>The model file's bytes.</summary>
    /// <exception cref="InvalidOperationException">No output was declared.</exception>
    public byte[] ToBytes() => ToProto().ToByteArray();

    internal OnnxTensor Parameter(Parameter parameter)
    {
        if (!parameters.TryGetValue(parameter.Name, out var known))
        {
            var tensor =
                Initializer(Take(parameter.Name), OnnxType.Float, parameter.Shape, Bytes<float>(parameter.Value.ToArray()));
            known = parameters[parameter.Name] = (parameter, tensor);
        }
        return ReferenceEquals(known.Parameter.Value, parameter.Value)
            ? known.Tensor
            : throw new ArgumentException(
                $"Two parameters of graph '{name}' are named '{parameter.Name}'; names must be unique.");
    }

    internal OnnxTensor Constant<T>(ReadOnlySpan<T> values, OnnxType type, Shape shape) where T : unmanaged
    {
        ShapeRules.Values(values.Length, shape);
        var bytes = Bytes(values);
        var key = (type, shape, bytes);
        if (!constants.TryGetValue(key, out var constant))
            constants[key] = constant = Initializer(Unique("Constant"), type, shape, bytes);
        return constant;
    }

    /// <summary>Adds a node. It is named after its operator and a running number, and so is its result.</summary>
    internal OnnxTensor Node(
        string @operator, OnnxType type, Shape shape, OnnxTensor[] operands, params AttributeProto[] attributes)
    {
        var node = new OnnxNode(Unique(@operator), @operator, operands, attributes);
        var result = new OnnxTensor(Backend, node.Name, type, shape) { Producer = node };
        results.Add(result);
        return result;
    }

    internal OnnxTensor Cast(OnnxTensor value, OnnxType type) =>
        Node("Cast", type, value.Shape, [value], OnnxAttribute.Of("to", (long)type));

    OnnxTensor Initializer(string name, OnnxType type, Shape shape, ByteString values) =>
        new(Backend, name, type, shape) { Values = values.Memory };

    ModelProto ToProto()
    {
        if (outputs.Count == 0)
            throw new InvalidOperationException($"Graph '{name}' has no output; declare one with {nameof(Output)}.");
        var live = Live();
        var graph = new GraphProto { Name = name };
        graph.Input.AddRange(inputs.Select(Declaration));
        graph.Output.AddRange(outputs.Select(Declaration));
        foreach (var result in results.Where(live.Contains))
        {
            var node = result.Producer!;
            graph.Node.Add(new NodeProto
            {
                Name = node.Name,
                OpType = node.Operator,
                Input = { node.Inputs.Select(input => input.Name) },
                Output = { result.Name },
                Attribute = { node.Attributes },
            });
        }
        foreach (var tensor in parameters.Values.Select(known => known.Tensor).Concat(constants.Values).Where(live.Contains))
        {
            graph.Initializer.Add(new TensorProto
            {
                Name = tensor.Name,
                DataType = (int)tensor.Type,
                Dims = { tensor.Shape.Axes.ToArray().Select(axis => (long)axis) },
                RawData = UnsafeByteOperations.UnsafeWrap(tensor.Values!.Value),
            });
        }
        return new ModelProto
        {
            IrVersion = 8,
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 17 } },
            ProducerName = "VaeFunctions",
            Graph = graph,
            MetadataProps = { Metadata.Select(entry => new StringStringEntryProto { Key = entry.Key, Value = entry.Value }) },
        };
    }

    /// <summary>Everything that an output depends on.</summary>
    HashSet<OnnxTensor> Live()
    {
        var live = new HashSet<OnnxTensor>(outputs);
        foreach (var result in Enumerable.Reverse(results).Where(live.Contains)) live.UnionWith(result.Producer!.Inputs);
        return live;
    }

    static ValueInfoProto Declaration(OnnxTensor tensor)
    {
        var shape = new TensorShapeProto();
        foreach (var axis in tensor.Shape.Axes)
        {
            shape.Dim.Add(axis == Shape.Dynamic
                ? new TensorShapeProto.Types.Dimension { DimParam = "N" }
                : new TensorShapeProto.Types.Dimension { DimValue = axis });
        }
        var type = new TypeProto.Types.Tensor { ElemType = (int)tensor.Type, Shape = shape };
        return new ValueInfoProto { Name = tensor.Name, Type = new TypeProto { TensorType = type } };
    }

    static ByteString Bytes<T>(ReadOnlySpan<T> values) where T : unmanaged => ByteString.CopyFrom(MemoryMarshal.AsBytes(values));

    string Take(string name) => names.Add(name)
        ? name
        : throw new ArgumentException($"Graph '{this.name}' already has a value named '{name}'; names must be unique.");

    string Unique(string prefix)
    {
        do counters[prefix] = counters.GetValueOrDefault(prefix) + 1;
        while (!names.Add($"{prefix}_{counters[prefix]}"));
        return $"{prefix}_{counters[prefix]}";
    }
}
