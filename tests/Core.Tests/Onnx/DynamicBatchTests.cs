using VaeFunctions.Onnx;
using VaeFunctions.Tensors;
using VaeFunctions.Tests.Conformance;

namespace VaeFunctions.Tests.Onnx;

/// <summary>One graph with an unknown batch serves any batch: every operation, run by ONNX Runtime against the
/// reference.</summary>
public class DynamicBatchTests
{
    /// <summary>Each takes x of [N, 2, 6, 5], the rest is constant.</summary>
    internal static readonly Dictionary<string, Operation> Operations = new()
    {
        ["Add"] = (_, x) => x[0] + 1,
        ["Add batch to batch"] = (_, x) => x[0] + x[0],
        ["Subtract"] = (b, x) => Constant(b, 2, 1, 1) - x[0],
        ["Multiply"] = (b, x) => x[0] * Constant(b, 6, 5),
        ["Divide"] = (_, x) => x[0] / 3,
        ["Negate"] = (_, x) => -x[0],
        ["Exp"] = (b, x) => b.Exp(x[0]),
        ["Log"] = (b, x) => b.Log(x[0] * x[0] + 1),
        ["Sqrt"] = (b, x) => b.Sqrt(x[0] * x[0] + 1),
        ["Tanh"] = (b, x) => b.Tanh(x[0]),
        ["Sigmoid"] = (b, x) => b.Sigmoid(x[0]),
        ["Softplus"] = (b, x) => b.Softplus(x[0]),
        ["Relu"] = (b, x) => b.Relu(x[0]),
        ["Silu"] = (b, x) => b.Silu(x[0]),
        ["LeakyRelu"] = (b, x) => b.LeakyRelu(x[0], 0.2f),
        ["Clip"] = (b, x) => b.Clip(x[0], -0.5f, 0.5f),
        ["Round"] = (b, x) => b.Round(x[0]),
        ["Reshape"] = (b, x) => b.Reshape(x[0], 0, 4, -1),
        ["Flatten"] = (_, x) => x[0].Flatten(),
        ["Transpose"] = (b, x) => b.Transpose(x[0], 0, 2, 3, 1),
        ["Concat"] = (b, x) => b.Concat(1, x[0], x[0]),
        ["Slice"] = (b, x) => b.Slice(x[0], -1, 1, 3),
        ["ReduceSum per image"] = (b, x) => b.ReduceSum(x[0], keepAxes: false, 1, 2, 3),
        ["ReduceSum kept"] = (b, x) => b.ReduceSum(x[0], keepAxes: true, -1),
        ["ReduceSum over the batch"] = (b, x) => b.ReduceSum(x[0], keepAxes: false, 0),
        ["ReduceSum over all"] = (b, x) => b.ReduceSum(x[0], keepAxes: false),
        ["MatMul"] = (b, x) => b.MatMul(x[0].Flatten(), Constant(b, 60, 7)),
        ["MatMul, right transposed"] = (b, x) => b.MatMul(x[0].Flatten(), Constant(b, 7, 60), transposeRight: true),
        ["MatMul, left transposed"] = (b, x) =>
            b.MatMul(Constant(b, 60, 7), x[0].Flatten(), transposeLeft: true, transposeRight: true),
        ["MatMul over the batch"] = (b, x) => b.MatMul(x[0].Flatten(), x[0].Flatten(), transposeLeft: true),
        ["Linear"] = (b, x) => b.Linear(x[0].Flatten(), Constant(b, 7, 60), Constant(b, 7)),
        ["Conv"] = (b, x) => b.Conv(x[0], Constant(b, 3, 2, 3, 3), new Window(3, 2, 1)),
        ["ConvTranspose"] = (b, x) => b.ConvTranspose(x[0], Constant(b, 2, 3, 3, 3), new Window(3, 2, 1, 1)),
        ["AddPerChannel"] = (b, x) => b.AddPerChannel(x[0], Constant(b, 2)),
        ["Conv with bias"] = (b, x) => b.AddPerChannel(b.Conv(x[0], Constant(b, 3, 2, 3, 3), new Window(3)), Constant(b, 3)),
        ["ConvTranspose with bias"] = (b, x) =>
            b.AddPerChannel(b.ConvTranspose(x[0], Constant(b, 2, 3, 3, 3), new Window(3, 3, 0, 2)),
            Constant(b, 3)),
        ["BatchNormalization"] = (b, x) => b.BatchNormalization(x[0], Constant(b, 2), b.Exp(Constant(b, 2)), Constant(b, 2),
            Constant(b, 2), 1e-5f),
        ["MaxPool"] = (b, x) => b.MaxPool(x[0], new Window(3, 2, 1)),
        ["GroupNormalization"] = (b, x) => b.GroupNormalization(x[0], Constant(b, 2), Constant(b, 2), 1, 1e-5f),
        ["ArgMax"] = (b, x) => b.ArgMax(x[0].Flatten()),
        ["OneHot"] = (b, x) => b.OneHot(b.ArgMax(x[0]), 5),
        ["LogSumExp"] = (b, x) => b.LogSumExp(x[0].Flatten()),
        ["SquaredErrorSum"] = (b, x) => b.SquaredErrorSum(x[0], x[0].Tanh()),
        ["BinaryCrossEntropySum"] = (b, x) => b.BinaryCrossEntropySum(x[0], x[0].Sigmoid()),
    };

    public static TheoryData<string> Names => [.. Operations.Keys];

    [Theory, MemberData(nameof(Names))]
    public void A_graph_serves_any_batch(string name)
    {
        var graph = Graph(Operations[name]);
        foreach (var batch in new[] { 1, 3, 8 })
            new Tolerance(1e-5, 1e-5)
                .Check(new SavedGraph(graph.ToBytes()), Operations[name], [Numbers.Gaussian("x", batch, 2, 6, 5)]);
    }

    [Fact]
    public void Batch_statistics_need_a_known_batch()
    {
        var error = Assert.Throws<ShapeException>(() =>
            Graph((b, x) => b.BatchNormalizationTraining(x[0], Constant(b, 2), Constant(b, 2), 1e-5f).Output));
        Assert.Contains("x is [N, 2, 6, 5]", error.Message);
    }

    internal static OnnxGraph Graph(Operation operation)
    {
        var graph = new OnnxGraph("dynamic");
        graph.Output("result", operation(graph.Backend, [graph.Input("x", OnnxType.Float, new Shape(Shape.Dynamic, 2, 6, 5))]));
        return graph;
    }

    static Tensor Constant(IBackend backend, params int[] axes)
    {
        var numbers = Numbers.Gaussian("constant", axes);
        return backend.FromValues(numbers.Values, numbers.Shape);
    }

    /// <summary>A graph written before its batch was known. The shape of the result is the definition's.</summary>
    sealed class SavedGraph(byte[] model) : Subject("Onnx, dynamic batch")
    {
        public override Numbers Run(Operation operation, IReadOnlyList<Numbers> inputs) =>
            new(OnnxSubject.Run(model, ("x", inputs[0])), Subjects.Reference.Run(operation, inputs).Shape);
    }
}
