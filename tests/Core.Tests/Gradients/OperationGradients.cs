using VaeFunctions.Tensors;
using VaeFunctions.Tests.Conformance;

namespace VaeFunctions.Tests.Gradients;

/// <summary>The gradient of every operation, against finite differences of its definition, and every back end's against
/// that.</summary>
public class OperationGradients
{
    static readonly Dictionary<string, (Operation Operation, Numbers[] Inputs)> cases = new()
    {
        ["Add"] = ((_, x) => x[0] + x[1], [Normal(3, 5), Normal(3, 5)]),
        ["Add, row"] = ((_, x) => x[0] + x[1], [Normal(3, 5), Normal(5)]),
        ["Subtract, column from row"] = ((_, x) => x[0] - x[1], [Normal(1, 5), Normal(3, 1)]),
        ["Subtract, scalar"] = ((_, x) => x[0] - x[1], [Normal(), Normal(2, 3)]),
        ["Multiply"] = ((_, x) => x[0] * x[1], [Normal(7), Normal(7)]),
        ["Multiply, per channel"] = ((_, x) => x[0] * x[1], [Normal(2, 3, 2, 2), Normal(3, 1, 1)]),
        ["Multiply by itself"] = ((_, x) => x[0] * x[0], [Normal(7)]),
        ["Divide"] = ((_, x) => x[0] / x[1], [Normal(3, 5), Positive(3, 5)]),
        ["Divide, row by column"] = ((_, x) => x[0] / x[1], [Normal(1, 5), Positive(3, 1)]),
        ["Divide, by a scalar"] = ((_, x) => x[0] / x[1], [Normal(3, 5), Positive()]),
        ["Negate"] = ((_, x) => -x[0], [Normal(7)]),
        ["Exp"] = ((b, x) => b.Exp(x[0]), [Normal(7)]),
        ["Log"] = ((b, x) => b.Log(x[0]), [Positive(7)]),
        ["Sqrt"] = ((b, x) => b.Sqrt(x[0]), [Positive(7)]),
        ["Tanh"] = ((b, x) => b.Tanh(x[0]), [Normal(17)]),
        ["Sigmoid"] = ((b, x) => b.Sigmoid(x[0]), [Normal(17)]),
        ["Softplus"] = ((b, x) => b.Softplus(x[0]), [Normal(17)]),
        ["Relu"] = ((b, x) => b.Relu(x[0]), [Normal(17)]),
        ["Silu"] = ((b, x) => b.Silu(x[0]), [Normal(17)]),
        ["LeakyRelu"] = ((b, x) => b.LeakyRelu(x[0], 0.2f), [Normal(17)]),
        ["Clip"] = ((b, x) => b.Clip(x[0], -0.5f, 0.75f), [Normal(17)]),
        ["Round"] = ((b, x) => b.Round(x[0]) * x[0], [Normal(17)]),
        ["Reshape"] = ((b, x) => b.Reshape(x[0], 0, -1), [Normal(3, 2, 2)]),
        ["Transpose"] = ((b, x) => b.Transpose(x[0], 2, 0, 1), [Normal(2, 3, 4)]),
        ["Transpose, four axes"] = ((b, x) => b.Transpose(x[0], 0, 2, 3, 1), [Normal(2, 3, 4, 5)]),
        ["Concat"] = ((b, x) => b.Concat(1, x[0], x[1], x[0]), [Normal(2, 3), Normal(2, 1)]),
        ["Concat, innermost"] = ((b, x) => b.Concat(-1, x[0], x[1]), [Normal(2, 3, 2), Normal(2, 3, 1)]),
        ["Slice"] = ((b, x) => b.Slice(x[0], 1, 1, 2), [Normal(2, 4)]),
        ["Slice, all"] = ((b, x) => b.Slice(x[0], -2, 0, 3), [Normal(3, 4)]),
        ["ReduceSum"] = ((b, x) => b.ReduceSum(x[0], keepAxes: false), [Normal(3, 5)]),
        ["ReduceSum, over rows"] = ((b, x) => b.ReduceSum(x[0], keepAxes: false, 0), [Normal(3, 5)]),
        ["ReduceSum, per channel"] = ((b, x) => b.ReduceSum(x[0], keepAxes: true, 0, 2, 3), [Normal(2, 3, 2, 2)]),
        ["ReduceSum, of the innermost"] = ((b, x) => b.ReduceSum(x[0], keepAxes: false, -1), [Normal(2, 3, 4)]),
        ["MatMul"] = ((b, x) => b.MatMul(x[0], x[1]), [Normal(3, 5), Normal(5, 2)]),
        ["MatMul, left transposed"] = ((b, x) => b.MatMul(x[0], x[1], transposeLeft: true), [Normal(5, 3), Normal(5, 2)]),
        ["MatMul, right transposed"] = ((b, x) => b.MatMul(x[0], x[1], transposeRight: true), [Normal(3, 5), Normal(2, 5)]),
        ["MatMul, both transposed"] = ((b, x) => b.MatMul(x[0], x[1], true, true), [Normal(5, 3), Normal(2, 5)]),
        ["MatMul by itself"] = ((b, x) => b.MatMul(x[0], x[0], transposeRight: true), [Normal(3, 5)]),
        ["Linear"] = ((b, x) => b.Linear(x[0], x[1], x[2]), [Normal(3, 5), Normal(2, 5), Normal(2)]),
        ["AddPerChannel"] = ((b, x) => b.AddPerChannel(x[0], x[1]), [Normal(2, 3, 2, 2), Normal(3)]),
        ["BatchNormalization"] = ((b, x) => b.BatchNormalization(x[0], x[1], x[2], x[3], x[4], 1e-5f),
            [Normal(2, 3, 2, 2), Normal(3), Positive(3), Normal(3), Normal(3)]),
        ["BatchNormalizationTraining"] = ((b, x) => b.BatchNormalizationTraining(x[0], x[1], x[2], 1e-3f).Output,
            [Normal(3, 2, 3, 2), Normal(2), Normal(2)]),
        ["BatchNormalizationTraining, of few"] = ((b, x) => b.BatchNormalizationTraining(x[0], x[1], x[2], 1e-2f).Output,
            [Normal(2, 3, 1, 1), Normal(3), Normal(3)]),
        ["MaxPool"] = ((b, x) => b.MaxPool(x[0], new(2, 2)), [Normal(2, 2, 5, 6)]),
        ["MaxPool, overlapping and padded"] = ((b, x) => b.MaxPool(x[0], new(3, 2, 1)), [Normal(2, 2, 6, 5)]),
        ["GroupNormalization"] = ((b, x) => b.GroupNormalization(x[0], x[1], x[2], 2, 1e-3f),
            [Normal(2, 4, 3, 2), Normal(4), Normal(4)]),
        ["GroupNormalization, a channel each"] = ((b, x) => b.GroupNormalization(x[0], x[1], x[2], 3, 1e-2f),
            [Normal(3, 3, 2, 3), Normal(3), Normal(3)]),
        ["OneHot, ArgMax"] = ((b, x) => b.OneHot(b.ArgMax(x[0]), 5) * x[0], [Normal(3, 5)]),
        ["LogSumExp"] = ((b, x) => b.LogSumExp(x[0]), [Normal(3, 5)]),
        ["Repeat"] = ((b, x) => b.Repeat(x[0], 3), [Normal(2, 5)]),
        ["StopGradient"] = ((b, x) => b.StopGradient(x[0] * 0) + x[0], [Normal(7)]),
        ["SquaredErrorSum"] = ((b, x) => b.SquaredErrorSum(x[0], x[1]), [Normal(3, 5), Normal(3, 5)]),
        ["BinaryCrossEntropySum"] = ((b, x) => b.BinaryCrossEntropySum(x[0], x[1]), [Normal(3, 5), Positive(3, 5)]),
        ["Convolutional network"] = (Network, [Normal(2, 2, 6, 5), Normal(3, 2, 3, 3), Normal(3), Normal(3, 2, 4, 4), Normal(2)]),
    };

    public static TheoryData<string> Operations => [.. cases.Keys];

    public static TheoryData<ComputingSubject> Training => Subjects.Training;

    public static TheoryData<ComputingSubject, string> TrainingTimesOperations => Subjects.TrainingTimes(cases.Keys);

    public static TheoryData<int, int, int> Windows
    {
        get
        {
            var data = new TheoryData<int, int, int>();
            foreach (var kernel in new[] { 1, 2, 3, 4, 5 })
                foreach (var stride in new[] { 1, 2, 3 })
                    foreach (var padding in new[] { 0, 1, 2 })
                        data.Add(kernel, stride, padding);
            return data;
        }
    }

    [Theory, MemberData(nameof(Operations))]
    public void The_gradient_agrees_with_finite_differences(string name) =>
        GradientCheck.AgainstDifferences(cases[name].Operation, cases[name].Inputs);

    [Theory, MemberData(nameof(TrainingTimesOperations))]
    public void Every_back_end_finds_the_same_gradient(ComputingSubject subject, string name) =>
        GradientCheck.AgainstReference(subject, cases[name].Operation, 2e-5, cases[name].Inputs);

    [Theory, MemberData(nameof(Windows))]
    public void Convolution_has_its_gradient_for_every_window(int kernel, int stride, int padding)
    {
        foreach (var (operation, inputs) in Convolutions(kernel, stride, padding))
            GradientCheck.AgainstDifferences(operation, inputs);
    }

    [Theory, MemberData(nameof(Windows))]
    public void Transposed_convolution_has_its_gradient_for_every_window(int kernel, int stride, int padding)
    {
        foreach (var (operation, inputs) in TransposedConvolutions(kernel, stride, padding))
            GradientCheck.AgainstDifferences(operation, inputs);
    }

    [Theory, MemberData(nameof(Training))]
    public void Every_back_end_finds_the_gradient_of_every_window(ComputingSubject subject)
    {
        foreach (var window in Windows)
        {
            var (kernel, stride, padding) = ((int)window[0], (int)window[1], (int)window[2]);
            var convolutions = Convolutions(kernel, stride, padding).Concat(TransposedConvolutions(kernel, stride, padding));
            foreach (var (operation, inputs) in convolutions)
                GradientCheck.AgainstReference(subject, operation, 2e-5, inputs);
        }
    }

    /// <summary>6 × 5 pixels: with most windows some are not reached by the stride, and not as many in height as in
    /// width.</summary>
    static IEnumerable<(Operation Operation, Numbers[] Inputs)> Convolutions(int kernel, int stride, int padding)
    {
        var window = new Window(kernel, stride, padding);
        yield return ((b, x) => b.Conv(x[0], x[1], window), [Normal(2, 2, 6, 5), Normal(3, 2, kernel, kernel)]);
        foreach (var relu in new[] { false, true })
            yield return ((b, x) => b.Conv(x[0], x[1], x[2], window, relu),
                [Normal(2, 2, 6, 5), Normal(3, 2, kernel, kernel), Normal(3)]);
    }

    static IEnumerable<(Operation Operation, Numbers[] Inputs)> TransposedConvolutions(int kernel, int stride, int padding)
    {
        for (var outputPadding = 0; outputPadding < stride; outputPadding++)
        {
            if (stride * 2 + kernel + outputPadding <= 2 * padding) continue;
            var window = new Window(kernel, stride, padding, outputPadding);
            yield return ((b, x) => b.ConvTranspose(x[0], x[1], window), [Normal(2, 2, 4, 3), Normal(2, 3, kernel, kernel)]);
            foreach (var relu in new[] { false, true })
                yield return ((b, x) => b.ConvTranspose(x[0], x[1], x[2], window, relu),
                    [Normal(2, 2, 4, 3), Normal(2, 3, kernel, kernel), Normal(3)]);
        }
    }

    /// <summary>What a convolutional autoencoder is made of, in one pass.</summary>
    static Tensor Network(IBackend b, IReadOnlyList<Tensor> x)
    {
        var hidden = b.AddPerChannel(b.Conv(x[0], x[1], new Window(3, 2, 1)), x[2]);
        hidden = b.BatchNormalizationTraining(hidden, x[2], x[2], 1e-2f).Output.LeakyRelu(0.1f);
        var logits = b.AddPerChannel(b.ConvTranspose(hidden, x[3], new Window(4, 2, 1)), x[4]);
        logits = b.Slice(logits, 3, 0, x[0].Shape[3]);
        return b.BinaryCrossEntropySum(logits, x[0].Sigmoid());
    }

    static Numbers Normal(params int[] axes) => Numbers.Gaussian($"gradient {axes.Length}", axes);

    static Numbers Positive(params int[] axes) => Numbers.Uniform("positive", 0.3f, 2, axes);
}
