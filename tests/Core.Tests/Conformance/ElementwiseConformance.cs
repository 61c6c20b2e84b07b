namespace VaeFunctions.Tests.Conformance;

/// <summary>Operations element by element, broadcasting included.</summary>
public class ElementwiseConformance
{
    static readonly Dictionary<string, (Operation Operation, Tolerance Tolerance)> unary = new()
    {
        ["Negate"] = ((b, x) => b.Negate(x[0]), Tolerance.Exact),
        ["Exp"] = ((b, x) => b.Exp(x[0]), Tolerance.Function),
        ["Log"] = ((b, x) => b.Log(x[0]), Tolerance.Function),
        ["Sqrt"] = ((b, x) => b.Sqrt(x[0]), Tolerance.Rounded),
        ["Tanh"] = ((b, x) => b.Tanh(x[0]), Tolerance.Saturating),
        ["Sigmoid"] = ((b, x) => b.Sigmoid(x[0]), Tolerance.Saturating),
        ["Softplus"] = ((b, x) => b.Softplus(x[0]), Tolerance.Function),
        ["Relu"] = ((b, x) => b.Relu(x[0]), Tolerance.Exact),
        // σ is exact to two roundings of 1, and x multiplies its error.
        ["Silu"] = ((b, x) => b.Silu(b.Clip(x[0], -40, 40)), new(5e-7, 5e-6)),
        ["LeakyRelu"] = ((b, x) => b.LeakyRelu(x[0], 0.2f), Tolerance.Rounded),
        ["Clip"] = ((b, x) => b.Clip(x[0], -0.75f, 1.25f), Tolerance.Exact),
        ["Clip to everything"] = ((b, x) => b.Clip(x[0], float.NegativeInfinity, float.PositiveInfinity), Tolerance.Exact),
        ["Round"] = ((b, x) => b.Round(x[0]), Tolerance.Exact),
    };

    static readonly Dictionary<string, Operation> binary = new()
    {
        ["Add"] = (b, x) => b.Add(x[0], x[1]),
        ["Subtract"] = (b, x) => b.Subtract(x[0], x[1]),
        ["Multiply"] = (b, x) => b.Multiply(x[0], x[1]),
        ["Divide"] = (b, x) => b.Divide(x[0], x[1]),
    };

    public static TheoryData<Subject, string> Unary => Subjects.ForwardTimes(unary.Keys);

    public static TheoryData<Subject, string> Binary => Subjects.ForwardTimes(binary.Keys);

    [Theory, MemberData(nameof(Unary))]
    public void Functions_agree_on_ordinary_numbers_of_any_length(Subject subject, string name)
    {
        var (operation, tolerance) = unary[name];
        foreach (var length in new[] { 1, 3, 7, 15, 16, 17, 31, 33, 64, 1001, 100_003 })
            tolerance.Check(subject, operation, [Numbers.Uniform("x", name == "Log" ? 0 : -6, 6, length)]);
        foreach (var shape in new int[][] { [], [0], [0, 5], [2, 3, 5, 7] })
            tolerance.Check(subject, operation, [Numbers.Uniform("x", 0, 3, shape)]);
    }

    [Theory, MemberData(nameof(Unary))]
    public void Functions_agree_on_special_values(Subject subject, string name)
    {
        var (operation, tolerance) = unary[name];
        tolerance.Check(subject, operation, [Numbers.Special()]);
    }

    [Theory, MemberData(nameof(Binary))]
    public void Arithmetic_agrees_for_every_way_to_broadcast(Subject subject, string name)
    {
        (int[] Left, int[] Right)[] shapes =
        [
            ([], []), ([1], []), ([], [5]), ([17], [17]), ([17], [1]), ([1], [33]), ([3, 7], [7]), ([7], [3, 7]),
            ([3, 7], [3, 1]),
            ([3, 1], [1, 7]),
            ([2, 3, 5, 7], [3, 1, 1]), ([3, 1, 1], [2, 3, 5, 7]), ([2, 3, 5, 7], [1, 3, 1, 1]), ([2, 3, 5, 7], [5, 1]),
            ([2, 1, 5, 1], [1, 3, 1, 7]),
            ([2, 3, 5, 7], [2, 1, 1, 1]), ([2, 3, 5, 7], [2, 3, 5, 7]), ([2, 3, 5, 7], []), ([1, 1, 1, 1], [2, 3]), ([0, 3], [3]),
            ([0, 1], [1, 3]), ([1, 3], [0, 3]),
            ([2, 1, 3], [2, 5, 3]), ([100_003], []), ([], [100_003]), ([301, 333], [333]), ([301, 333], [301, 1]),
            ([5, 31, 17, 33], [31, 1, 1]),
        ];
        foreach (var (left, right) in shapes)
            Tolerance.Rounded.Check(subject, binary[name], [Numbers.Gaussian("left", left), Numbers.Gaussian("right", right)]);
    }

    [Theory, MemberData(nameof(Binary))]
    public void Arithmetic_agrees_on_special_values(Subject subject, string name)
    {
        var (left, right) = Numbers.SpecialPairs();
        Tolerance.Rounded.Check(subject, binary[name], [left, right]);
    }

    [Theory, MemberData(nameof(Subjects.Forward), MemberType = typeof(Subjects))]
    public void An_operand_may_be_used_twice(Subject subject) =>
        Tolerance.Function.Check(subject, (_, x) => x[0] * x[0] + x[0], [Numbers.Gaussian("x", 5, 7)], sumOfMagnitudes: true);

    [Theory, MemberData(nameof(Subjects.Forward), MemberType = typeof(Subjects))]
    public void Scalars_broadcast(Subject subject) =>
        Tolerance.Function.Check(subject, (_, x) => 2 * (x[0] - 0.5f) / 4 + -x[0],
            [Numbers.Uniform("x", 1, 2, 3, 33)], sumOfMagnitudes: true);
}
