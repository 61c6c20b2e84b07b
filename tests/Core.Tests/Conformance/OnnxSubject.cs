using Microsoft.ML.OnnxRuntime;
using VaeFunctions.Onnx;

namespace VaeFunctions.Tests.Conformance;

/// <summary>The graph that the ONNX back end writes, run by ONNX Runtime.</summary>
public sealed class OnnxSubject() : Subject("Onnx")
{
    static readonly SessionOptions options =
        new() { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };

    public override Numbers Run(Operation operation, IReadOnlyList<Numbers> inputs)
    {
        var graph = new OnnxGraph("conformance");
        var result =
            operation(graph.Backend, [.. inputs.Select((input, i) => graph.Input($"input{i}", OnnxType.Float, input.Shape))]);
        graph.Output("result", result);
        return new Numbers(Run(graph.ToBytes(), [.. inputs.Select((input, i) => ($"input{i}", input))]), result.Shape);
    }

    /// <summary>The values of a model's first output.</summary>
    public static float[] Run(byte[] model, params IReadOnlyList<(string Name, Numbers Numbers)> inputs)
    {
        using var session = new InferenceSession(model, options);
        var values = inputs.Select(input => Value(input.Numbers)).ToList();
        try
        {
            using var runOptions = new RunOptions();
            using var outputs = session.Run(runOptions, [.. inputs.Select(input => input.Name)], values, session.OutputNames);
            return outputs[0].GetTensorDataAsSpan<float>().ToArray();
        }
        finally
        {
            values.ForEach(value => value.Dispose());
        }

        static OrtValue Value(Numbers numbers) =>
            OrtValue.CreateTensorValueFromMemory(
                numbers.Values, Array.ConvertAll(numbers.Shape.Axes.ToArray(), axis => (long)axis));
    }
}
