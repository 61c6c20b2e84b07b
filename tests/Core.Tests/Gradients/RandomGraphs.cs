using VaeFunctions.Tensors;
using VaeFunctions.Tests.Conformance;

namespace VaeFunctions.Tests.Gradients;

/// <summary>Graphs that nobody would draw: results are used never, once or many times, and gradients meet again.</summary>
public class RandomGraphs
{
    static readonly ulong[] seeds = [.. Enumerable.Range(1, 20).Select(seed => (ulong)seed)];

    public static TheoryData<ulong> Seeds => [.. seeds];

    public static TheoryData<ComputingSubject, ulong> Training => Subjects.TrainingTimes(seeds);

    [Theory, MemberData(nameof(Seeds))]
    public void Gradients_agree_with_finite_differences(ulong seed) =>
        GradientCheck.AgainstDifferences((b, x) => Grow(b, x, seed), Inputs(seed));

    [Theory, MemberData(nameof(Training))]
    public void Gradients_agree_between_back_ends(ComputingSubject subject, ulong seed) =>
        GradientCheck.AgainstReference(subject, (b, x) => Grow(b, x, seed), 1e-4, Inputs(seed));

    static Numbers[] Inputs(ulong seed) =>
        [Numbers.Gaussian($"a {seed}", 3, 4), Numbers.Gaussian($"b {seed}", 4), Numbers.Gaussian($"c {seed}", 3, 1)];

    /// <summary>A dozen operations on values already there, bounded so that nothing explodes, and the sum of all that is
    /// left.</summary>
    static Tensor Grow(IBackend b, IReadOnlyList<Tensor> x, ulong seed)
    {
        var random = new RandomStream(seed, "graph");
        List<Tensor> values = [x[0], x[0] + x[1], x[0] * x[2]];
        for (var i = 0; i < 12; i++) values.Add(Next(Any(), Any()));
        return values.Aggregate((sum, value) => sum + value) + x[1] * x[2];

        Tensor Any() => values[random.NextInt(values.Count)];

        Tensor Next(Tensor left, Tensor right) => random.NextInt(12) switch
        {
            0 => left + right,
            1 => left - right,
            2 => left.Tanh() * right.Sigmoid(),
            3 => left / (right * right + 1),
            4 => left.Softplus(),
            5 => b.LeakyRelu(left, 0.3f),
            6 => (left * left + 1).Sqrt().Log(),
            7 => b.Transpose(b.Reshape(left, 4, 3), 1, 0),
            8 => b.MatMul(b.MatMul(left, right, transposeRight: true), left).Tanh(),
            9 => b.Concat(1, b.Slice(left, 1, 2, 2), b.Slice(right, 1, 0, 2)),
            10 => left * b.ReduceSum(right, keepAxes: true, 1).Sigmoid(),
            _ => (left * -0.5f).Tanh().Exp() + b.ReduceSum(right, keepAxes: false, 0) * 0.25f,
        };
    }
}
