using VaeFunctions.Onnx;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Onnx;

/// <summary>ONNX's own checker accepts what the back end writes: structure, types, and the shapes it infers itself.</summary>
public class CheckerTests
{
    /// <summary>Shape inference is strict: a declared shape that differs from the inferred one is an error.</summary>
    const string Script = """
        import sys, onnx
        for path in sys.argv[1:]:
            model = onnx.load(path)
            onnx.checker.check_model(model, full_check=True)
            onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
            print("checked")
        """;

    [SkippableFact]
    public void The_checker_accepts_every_operation()
    {
        List<byte[]> models =
            [.. DynamicBatchTests.Operations.Values.Select(operation => DynamicBatchTests.Graph(operation).ToBytes()),
            Pixels(), Static()];
        Assert.Equal(Enumerable.Repeat("checked", models.Count), Check(models));
    }

    [SkippableFact]
    public void The_checker_would_refuse_a_wrong_shape()
    {
        var graph = new OnnxGraph("wrong");
        var x = graph.Input("x", OnnxType.Float, new Shape(Shape.Dynamic, 3));
        graph.Output("result", graph.Node("Relu", OnnxType.Float, new Shape(Shape.Dynamic, 4), [(OnnxTensor)x]));
        Assert.Contains("differ", Assert.Throws<InvalidOperationException>(() => Check([graph.ToBytes()])).Message);
    }

    /// <summary>Bytes in, bytes out, a label beside them, and metadata.</summary>
    static byte[] Pixels()
    {
        var graph = new OnnxGraph("pixels");
        var x = graph.Input("pixels", OnnxType.UInt8, new Shape(Shape.Dynamic, 6, 5, 3)).Transpose(0, 3, 1, 2) / 255;
        var label = graph.Input("label", OnnxType.Int64, new Shape(Shape.Dynamic));
        graph.Output("grey", (x * 255).Round().Clip(0, 255), OnnxType.UInt8);
        graph.Output("label_out", label, OnnxType.Int64);
        graph.Metadata["model"] = "test";
        return graph.ToBytes();
    }

    static byte[] Static()
    {
        var graph = new OnnxGraph("static");
        var x = graph.Input("x", OnnxType.Float, new Shape(2, 3, 4, 4));
        var channels = graph.Backend.FromValues([1, 2, 3], new Shape(3));
        graph.Output("result", ((IBackend)graph.Backend).BatchNormalizationTraining(x, channels, channels, 1e-5f).Output);
        return graph.ToBytes();
    }

    internal static string[] Check(List<byte[]> models)
    {
        var python = ExternalProgram.PythonWith("onnx", "python3-onnx");
        var folder = Directory.CreateTempSubdirectory("onnx-checker-");
        try
        {
            string[] paths = [.. models.Select((_, i) => Path.Combine(folder.FullName, $"{i}.onnx"))];
            for (var i = 0; i < paths.Length; i++) File.WriteAllBytes(paths[i], models[i]);
            var (code, output, errors) = ExternalProgram.Run(python, ["-c", Script, .. paths])!.Value;
            return code == 0
                ? output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                : throw new InvalidOperationException(errors);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
