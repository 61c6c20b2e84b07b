using Microsoft.ML.OnnxRuntime;
using VaeFunctions.Onnx;
using VaeFunctions.Onnx.Protobuf;
using VaeFunctions.Reference;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Onnx;

public class OnnxGraphTests
{
    readonly OnnxGraph graph = new("test");
    readonly ReferenceBackend reference = new();

    [Fact]
    public void A_model_says_which_format_it_is_in_and_what_was_put_with_it()
    {
        graph.Metadata["version"] = "7";
        graph.Metadata["model"] = "faces";
        graph.Output("y", Input().Relu());
        var model = Saved();
        Assert.Equal((8, 17), (model.IrVersion, Assert.Single(model.OpsetImport).Version));
        Assert.Equal(["model=faces", "version=7"], model.MetadataProps.Select(entry => $"{entry.Key}={entry.Value}"));
        Assert.Equal("N", model.Graph.Input[0].Type.TensorType.Shape.Dim[0].DimParam);
        Assert.Equal(3, model.Graph.Output[0].Type.TensorType.Shape.Dim[1].DimValue);
    }

    [Fact]
    public void Nodes_and_results_are_named_after_their_operator_and_outputs_as_asked()
    {
        graph.Output("mean", Input().Relu().Tanh().Relu());
        Assert.Equal(["Relu_1", "Tanh_1", "Relu_2"], Saved().Graph.Node.Select(node => node.Name));
        Assert.Equal(["Relu_1", "Tanh_1", "mean"], Saved().Graph.Node.Select(node => Assert.Single(node.Output)));
    }

    [Fact]
    public void A_parameter_is_an_initializer_of_its_own_name_however_often_it_is_used()
    {
        var weight = Parameter("encoder.0.weight", 1, 2, 3);
        graph.Output("y", Input() * graph.Backend.FromParameter(weight) + graph.Backend.FromParameter(weight));
        var initializer = Assert.Single(Saved().Graph.Initializer);
        Assert.Equal(("encoder.0.weight", 12), (initializer.Name, initializer.RawData.Length));
    }

    [Fact]
    public void Two_parameters_of_one_name_are_refused()
    {
        graph.Backend.FromParameter(Parameter("weight", 1));
        Assert.Contains(
            "'weight'", Assert.Throws<ArgumentException>(() => graph.Backend.FromParameter(Parameter("weight", 1))).Message);
    }

    [Fact]
    public void Equal_constants_are_written_once()
    {
        graph.Output("y", (Input() * 2 + 2).Reshape(0, 3, 1).Reshape(0, 3, 1) / graph.Backend.FromValues([2], new Shape(1)));
        Assert.Equal([(1, 0, 4), (1, 1, 4), (7, 1, 24)], Saved().Graph.Initializer
            .Select(constant => (constant.DataType, constant.Dims.Count, constant.RawData.Length)).Order());
    }

    [Fact]
    public void What_no_output_needs_is_left_out()
    {
        var x = Input();
        var unused = (x * graph.Backend.FromParameter(Parameter("unused", 1, 2, 3)) + 5).Exp();
        graph.Output("y", x.Relu());
        Assert.Equal("Relu", Assert.Single(Saved().Graph.Node).OpType);
        Assert.Empty(Saved().Graph.Initializer);
        Assert.Equal(x.Shape, unused.Shape);
    }

    [Fact]
    public void The_same_calls_give_the_same_bytes()
    {
        Assert.Equal(Build(), Build());

        static byte[] Build()
        {
            var graph = new OnnxGraph("same");
            graph.Metadata["b"] = "2";
            graph.Metadata["a"] = "1";
            graph.Output("y", graph.Input("x", OnnxType.Float, new Shape(Shape.Dynamic, 3)) * 2 + 1);
            return graph.ToBytes();
        }
    }

    [Fact]
    public void A_bias_becomes_part_of_the_convolution_before_it()
    {
        var backend = graph.Backend;
        var x = graph.Input("x", OnnxType.Float, new Shape(Shape.Dynamic, 1, 4, 4));
        var weight = backend.FromParameter(new Parameter("weight", ParameterKind.Weight,
            reference.FromValues(new float[9], new Shape(1, 1, 3, 3))));
        graph.Output("y", backend.AddPerChannel(
            backend.Conv(x, weight, new Window(3, 1, 1)), backend.FromParameter(Parameter("bias", 1))));
        var convolution = Assert.Single(Saved().Graph.Node);
        Assert.Equal(["x", "weight", "bias"], convolution.Input);
    }

    [Fact]
    public void Pixels_go_in_and_out_as_bytes()
    {
        var pixels = graph.Input("pixels", OnnxType.UInt8, new Shape(Shape.Dynamic, 2, 1));
        graph.Output("inverted", (pixels * -1 + 255).Clip(0, 255).Round(), OnnxType.UInt8);
        using var session = new InferenceSession(graph.ToBytes());
        using var input = OrtValue.CreateTensorValueFromMemory(new byte[] { 0, 1, 254, 255 }, [2, 2, 1]);
        using var options = new RunOptions();
        using var outputs = session.Run(options, ["pixels"], [input], ["inverted"]);
        Assert.Equal(new byte[] { 255, 254, 1, 0 }, outputs[0].GetTensorDataAsSpan<byte>().ToArray());
    }

    [Fact]
    public void Inputs_constants_and_twice_named_values_may_be_outputs()
    {
        var x = Input();
        var y = x.Relu();
        graph.Output("same", x);
        graph.Output("one", graph.Backend.FromValues([1], new Shape(1)));
        graph.Output("first", y);
        graph.Output("second", y);
        using var session = new InferenceSession(graph.ToBytes());
        Assert.Equal(["same", "one", "first", "second"], session.OutputMetadata.Keys);
    }

    [Fact]
    public void A_name_is_given_once()
    {
        var x = Input();
        Assert.Contains("'x'", Assert.Throws<ArgumentException>(() => graph.Output("x", x)).Message);
        Assert.Throws<ArgumentException>(() => graph.Input("x", OnnxType.Float, Shape.Scalar));
    }

    [Fact]
    public void A_generated_name_gives_way_to_a_chosen_one()
    {
        var x = graph.Input("Relu_1", OnnxType.Float, new Shape(3));
        graph.Output("y", x.Relu().Relu());
        Assert.Equal(["Relu_2", "Relu_3"], Saved().Graph.Node.Select(node => node.Name));
    }

    [Fact]
    public void A_graph_without_outputs_is_no_model() =>
        Assert.Contains("no output", Assert.Throws<InvalidOperationException>(() => new OnnxGraph("empty").ToBytes()).Message);

    [Fact]
    public void A_graph_has_no_values_to_read() =>
        Assert.Contains("ONNX Runtime", Assert.Throws<NotSupportedException>(() => Input().ToArray()).Message);

    [Fact]
    public void Tensors_of_another_graph_are_refused()
    {
        var other = new OnnxGraph("other").Input("x", OnnxType.Float, new Shape(Shape.Dynamic, 3));
        Assert.Throws<ArgumentException>(() => Input() + other);
        Assert.Throws<ArgumentException>(() => graph.Output("y", other));
        Assert.Throws<ArgumentException>(() => graph.Backend.Relu(reference.FromValues([1], new Shape(1))));
    }

    Tensor Input() => graph.Input("x", OnnxType.Float, new Shape(Shape.Dynamic, 3));

    ModelProto Saved() => ModelProto.Parser.ParseFrom(graph.ToBytes());

    Parameter Parameter(string name, params float[] values) =>
        new(name, ParameterKind.Weight, reference.FromValues(values, new Shape(values.Length)));
}
