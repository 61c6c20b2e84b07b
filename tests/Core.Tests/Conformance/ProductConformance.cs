using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Conformance;

/// <summary>Sums and products of matrices.</summary>
public class ProductConformance
{
    public static TheoryData<Subject> Forward => Subjects.Forward;

    [Theory, MemberData(nameof(Forward))]
    public void ReduceSum_agrees_over_any_axes(Subject subject)
    {
        (int[] Shape, int[] Axes)[] cases =
        [
            ([], []), ([1], [0]), ([33], []), ([33], [0]), ([3, 17], []), ([3, 17], [0]), ([3, 17], [1]), ([3, 17], [-1]),
            ([3, 17], [1, 0]), ([100_003], [0]),
            ([301, 333], [0]), ([301, 333], [1]), ([2, 3, 5, 7], [0, 2, 3]), ([2, 3, 5, 7], [1]), ([2, 3, 5, 7], [2, 3]),
            ([2, 3, 5, 7], [0]), ([2, 3, 5, 7], [3]),
            ([2, 3, 5, 7], [0, 2]), ([2, 3, 5, 7], [-3, -1]), ([2, 3, 5, 7], []), ([2, 3, 5, 7], [0, 1, 2, 3]),
            ([17, 31, 9, 11], [0, 2, 3]), ([3, 1, 1], [1, 2]),
        ];
        foreach (var (shape, axes) in cases)
        {
            foreach (var keepAxes in new[] { false, true })
            {
                Tolerance.Sum.Check(subject, (b, x) => b.ReduceSum(x[0], keepAxes, axes), [Numbers.Gaussian("x", shape)],
                    sumOfMagnitudes: true, $"axes [{string.Join(", ", axes)}], keep {keepAxes}");
            }
        }
    }

    [Theory, MemberData(nameof(Forward))]
    public void A_sum_of_nothing_is_zero(Subject subject)
    {
        Tolerance.Exact.Check(subject, (b, x) => b.ReduceSum(x[0], keepAxes: false), [Numbers.Of([], 0, 3)]);
        Tolerance.Exact.Check(subject, (b, x) => b.ReduceSum(x[0], keepAxes: false, 0), [Numbers.Of([], 0, 3)]);
        Tolerance.Exact.Check(subject, (b, x) => b.ReduceSum(x[0], keepAxes: true, 1), [Numbers.Of([], 0, 3)]);
    }

    [Theory, MemberData(nameof(Forward))]
    public void Sums_meet_special_values(Subject subject)
    {
        const float infinity = float.PositiveInfinity;
        float[][] cases = [[1, float.NaN, 3], [infinity, 1, 2], [-infinity, 1, infinity], [1e38f, 2e38f, 3e38f], [1e-40f, 1, 2]];
        foreach (var values in cases)
        {
            var row = Enumerable.Repeat(0.5f, 40).ToArray();
            values.CopyTo(row, 33);
            Tolerance.Sum.Check(subject, (b, x) => b.ReduceSum(x[0], keepAxes: false, 1), [Numbers.Of(row, 1, 40)]);
            Tolerance.Sum.Check(subject, (b, x) => b.ReduceSum(x[0], keepAxes: false, 0), [Numbers.Of(row, 40, 1)]);
        }
    }

    [Theory, MemberData(nameof(Forward))]
    public void A_long_sum_keeps_its_precision(Subject subject) =>
        Tolerance.Sum.Check(subject, (b, x) => b.ReduceSum(x[0], keepAxes: false), [Numbers.Uniform("x", 0, 1, 2_000_003)]);

    [Theory, MemberData(nameof(Forward))]
    public void MatMul_agrees_for_every_size_and_transposition(Subject subject)
    {
        (int M, int K, int N)[] sizes =
        [
            (1, 1, 1), (1, 3, 1), (1, 17, 33), (33, 1, 7), (7, 33, 1), (3, 5, 7), (16, 16, 16), (17, 31, 33), (5, 64, 15),
            (65, 129, 97), (31, 784, 41), (130, 7, 259), (1026, 513, 257),
            (1, 1000, 1), (0, 3, 2), (3, 2, 0),
        ];
        foreach (var (m, k, n) in sizes)
        {
            foreach (var (left, right) in new[] { (false, false), (false, true), (true, false), (true, true) })
            {
                Tolerance.Sum.Check(subject, (b, x) => b.MatMul(x[0], x[1], left, right),
                    [left ? Numbers.Gaussian("left", k, m) : Numbers.Gaussian("left", m, k),
                        right ? Numbers.Gaussian("right", n, k) : Numbers.Gaussian("right", k, n)],
                    sumOfMagnitudes: true, $"transpose {left}, {right}");
            }
        }
    }

    [Theory, MemberData(nameof(Forward))]
    public void MatMul_keeps_NaN_and_infinities_to_their_row_and_column(Subject subject)
    {
        var left = Numbers.Gaussian("left", 19, 21);
        var right = Numbers.Gaussian("right", 21, 35);
        left.Values[3 * 21 + 20] = float.NaN;
        right.Values[7 * 35 + 34] = float.PositiveInfinity;
        Tolerance.Sum.Check(subject, (b, x) => b.MatMul(x[0], x[1]), [left, right], sumOfMagnitudes: true);
    }

    [Theory, MemberData(nameof(Forward))]
    public void MatMul_of_zero_and_infinity_is_NaN(Subject subject) =>
        Tolerance.Sum.Check(subject, (b, x) => b.MatMul(x[0], x[1]),
            [Numbers.Of(new float[6], 2, 3), Numbers.Of([1, 2, float.PositiveInfinity], 3, 1)]);

    [Theory, MemberData(nameof(Forward))]
    public void Linear_agrees(Subject subject)
    {
        (int, int, int)[] sizes = [(1, 1, 1), (3, 7, 5), (0, 3, 2), (17, 33, 31), (64, 100, 41), (33, 784, 67)];
        foreach (var (n, inputs, outputs) in sizes)
        {
            Tolerance.Sum.Check(subject, (b, x) => b.Linear(x[0], x[1], x[2]),
                [
                    Numbers.Gaussian("x", n, inputs),
                    Numbers.Gaussian("weight", outputs, inputs),
                    Numbers.Gaussian("bias", outputs),
                ],
                sumOfMagnitudes: true);
        }
    }
}
