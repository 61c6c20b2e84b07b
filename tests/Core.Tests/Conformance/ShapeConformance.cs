using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Conformance;

/// <summary>Operations that move values without changing them.</summary>
public class ShapeConformance
{
    public static TheoryData<Subject> Forward => Subjects.Forward;

    [Theory, MemberData(nameof(Forward))]
    public void Reshape_keeps_the_row_major_order(Subject subject)
    {
        (int[] From, int[] To)[] cases =
        [
            ([2, 3, 4], [24]), ([2, 3, 4], [-1]), ([2, 3, 4], [0, -1]), ([2, 3, 4], [4, 0, 2]), ([2, 3, 4], [0, 0, 2, 2]),
            ([24], [2, -1, 4]),
            ([1], []), ([], [1, 1, -1]), ([0, 4], [0, 2, 2]), ([5, 7], [7, 5]), ([3, 1, 1], [1, 3]),
        ];
        foreach (var (from, to) in cases)
            Tolerance.Exact.Check(subject, (b, x) => b.Reshape(x[0], to),
                [Numbers.Gaussian("x", from)], about: $"to [{string.Join(", ", to)}]");
    }

    [Theory, MemberData(nameof(Forward))]
    public void Flatten_keeps_the_batch(Subject subject) =>
        Tolerance.Exact.Check(subject, (_, x) => x[0].Flatten(), [Numbers.Gaussian("x", 3, 2, 5, 7)]);

    [Theory, MemberData(nameof(Forward))]
    public void Transpose_agrees_for_every_order(Subject subject)
    {
        (int[] Shape, int[] Order)[] cases =
        [
            ([7], [0]), ([3, 17], [1, 0]), ([129, 65], [1, 0]), ([3, 17], [0, 1]), ([1, 5], [1, 0]), ([0, 5], [1, 0]),
            ([3, 5, 7], [2, 0, 1]), ([3, 5, 7], [1, 2, 0]),
            ([3, 5, 7], [2, 1, 0]), ([2, 3, 5, 7], [0, 2, 3, 1]), ([2, 3, 5, 7], [0, 3, 1, 2]), ([2, 3, 5, 7], [3, 2, 1, 0]),
            ([2, 3, 5, 7], [1, 0, 2, 3]),
            ([2, 3, 5, 7], [1, 0, 3, 2]), ([2, 33, 17, 3], [0, 3, 1, 2]),
        ];
        foreach (var (shape, order) in cases)
            Tolerance.Exact.Check(subject, (b, x) => b.Transpose(x[0], order),
                [Numbers.Gaussian("x", shape)], about: $"order [{string.Join(", ", order)}]");
    }

    [Theory, MemberData(nameof(Forward))]
    public void Concat_agrees_along_every_axis(Subject subject)
    {
        (int Axis, int[][] Parts)[] cases =
        [
            (0, [[3], [1], [4]]), (0, [[3, 5]]), (0, [[3, 5], [1, 5]]), (1, [[3, 5], [3, 17], [3, 1]]), (-1, [[3, 5], [3, 2]]),
            (1, [[2, 3, 5, 7], [2, 1, 5, 7]]),
            (2, [[2, 3, 5, 7], [2, 3, 1, 7]]), (3, [[2, 3, 5, 7], [2, 3, 5, 33]]), (-3, [[2, 3, 5, 7], [2, 4, 5, 7]]),
            (1, [[3, 0], [3, 2]]), (0, [[0, 2], [3, 2]]),
        ];
        foreach (var (axis, parts) in cases)
            Tolerance.Exact.Check(subject, (b, x) => b.Concat(axis, [.. x]),
                [.. parts.Select((part, i) => Numbers.Gaussian($"part {i}", part))], about: $"axis {axis}");
    }

    [Theory, MemberData(nameof(Forward))]
    public void Slice_agrees_along_every_axis(Subject subject)
    {
        (int[] Shape, int Axis, int Start, int Length)[] cases =
        [
            ([17], 0, 0, 17), ([17], 0, 16, 1), ([17], 0, 3, 7), ([17], 0, 5, 0), ([17], 0, 17, 0), ([3, 33], 1, 1, 31),
            ([3, 33], 0, 1, 2), ([3, 33], -1, 32, 1),
            ([2, 3, 5, 7], 1, 1, 1), ([2, 3, 5, 7], 2, 2, 3), ([2, 3, 5, 7], 3, 6, 1), ([2, 3, 5, 7], -4, 1, 1),
            ([0, 4], 1, 1, 2),
        ];
        foreach (var (shape, axis, start, length) in cases)
        {
            Tolerance.Exact.Check(subject, (b, x) => b.Slice(x[0], axis, start, length), [Numbers.Gaussian("x", shape)],
                about: $"{length} from {start} of axis {axis}");
        }
    }

    [Theory, MemberData(nameof(Forward))]
    public void Slices_put_together_again_are_the_whole(Subject subject) =>
        Tolerance.Exact.Check(subject, (b, x) => b.Concat(1, b.Slice(x[0], 1, 0, 4), b.Slice(x[0], 1, 4, 9)) - x[0],
            [Numbers.Gaussian("x", 5, 13)]);

    [Theory, MemberData(nameof(Forward))]
    public void Values_are_moved_as_they_are_special_ones_too(Subject subject)
    {
        var special = Numbers.Special();
        var matrix = special with { Shape = new Shape(17, special.Values.Length / 17) };
        Tolerance.Exact.Check(subject, (_, x) => x[0].Transpose(1, 0).Slice(1, 3, 11).Reshape(-1), [matrix]);
        Tolerance.Exact.Check(subject, (b, x) => b.Concat(1, x[0], x[0]), [matrix]);
    }

    [Theory, MemberData(nameof(Forward))]
    public void Constants_and_parameters_become_tensors(Subject subject)
    {
        var values = Numbers.Gaussian("values", 3, 5);
        var parameter = new Parameter("layer.weight", ParameterKind.Weight,
            new Reference.ReferenceBackend().FromValues(values.Values, values.Shape));
        Tolerance.Rounded.Check(subject, (b, x) => x[0] - b.FromParameter(parameter), [Numbers.Gaussian("x", 2, 3, 5)]);
        Tolerance.Rounded.Check(
            subject, (b, x) => x[0] - b.FromValues(values.Values, values.Shape), [Numbers.Gaussian("x", 2, 3, 5)]);
    }
}
