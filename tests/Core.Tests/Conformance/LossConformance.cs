namespace VaeFunctions.Tests.Conformance;

/// <summary>Losses summed over each image, and what is composed besides.</summary>
public class LossConformance
{
    static readonly int[][] shapes = [[1], [7], [3, 33], [17, 784], [5, 3, 31, 32], [0, 4]];

    public static TheoryData<Subject> Forward => Subjects.Forward;

    [Theory, MemberData(nameof(Forward))]
    public void Squared_error_agrees(Subject subject)
    {
        foreach (var shape in shapes)
            Tolerance.Sum.Check(subject, (b, x) => b.SquaredErrorSum(x[0], x[1]),
                [Numbers.Gaussian("x", shape), Numbers.Gaussian("target", shape)]);
    }

    /// <summary>Terms are not negative, but each is a difference: the magnitude of softplus + target · logits is what
    /// rounds.</summary>
    [Theory, MemberData(nameof(Forward))]
    public void Binary_cross_entropy_agrees(Subject subject)
    {
        foreach (var shape in shapes)
        {
            foreach (var scale in new[] { 1f, 30f })
            {
                Tolerance.Sum.Check(subject, (b, x) => b.BinaryCrossEntropySum(b.Multiply(x[0], b.Scalar(scale)), x[1]),
                    [Numbers.Uniform("logits", -3, 3, shape), Numbers.Uniform("target", 0, 1, shape)], about: $"scale {scale}");
            }
        }
    }

    [Theory, MemberData(nameof(Forward))]
    public void Binary_cross_entropy_of_confident_logits_is_finite_and_right(Subject subject) =>
        Tolerance.Sum.Check(subject, (b, x) => b.BinaryCrossEntropySum(x[0], x[1]),
            [Numbers.Of([200, -200, 200, -200, 0], 5), Numbers.Of([1, 0, 0, 1, 0.5f], 5)]);

    [Theory, MemberData(nameof(Forward))]
    public void One_NaN_makes_a_loss_NaN(Subject subject)
    {
        var x = Numbers.Gaussian("x", 3, 33);
        x.Values[97] = float.NaN;
        Tolerance.Sum.Check(subject, (b, x) => b.SquaredErrorSum(x[0], x[1]), [x, Numbers.Uniform("target", 0, 1, 3, 33)]);
        Tolerance.Sum.Check(subject, (b, x) => b.SquaredErrorSum(x[1], x[0]), [x, Numbers.Uniform("target", 0, 1, 3, 33)]);
        Tolerance.Sum.Check(subject, (b, x) => b.BinaryCrossEntropySum(x[0], x[1]), [x, Numbers.Uniform("target", 0, 1, 3, 33)]);
    }

    [Theory, MemberData(nameof(Forward))]
    public void The_largest_of_a_row_is_found_and_the_first_of_equal_ones(Subject subject)
    {
        foreach (var shape in (int[][])[[1, 1], [3, 33], [129, 17], [20_000, 3], [7], [2, 3, 4, 5]])
            Tolerance.Exact.Check(subject, (b, x) => b.ArgMax(x[0]), [Numbers.Gaussian("x", shape)]);
        Tolerance.Exact.Check(subject, (b, x) => b.ArgMax(x[0]), [Numbers.Of([1, 2, 2, 0, 0, 0, -3, -2, -1], 3, 3)]);
    }

    [Theory, MemberData(nameof(Forward))]
    public void A_label_becomes_a_one_at_its_place_and_a_strange_one_zeros(Subject subject) =>
        Tolerance.Exact.Check(subject, (b, x) => b.OneHot(x[0], 4), [Numbers.Of([0, 3, 1, 4, -1, 1000], 2, 3)]);

    [Theory, MemberData(nameof(Forward))]
    public void The_logarithm_of_a_sum_of_exponentials_is_finite_and_right(Subject subject)
    {
        new Tolerance(1e-6, 1e-6).Check(subject, (b, x) => b.LogSumExp(x[0]), [Numbers.Gaussian("x", 5, 2, 17)]);
        new Tolerance(1e-6).Check(subject, (b, x) => b.LogSumExp(x[0]), [Numbers.Of([1000, 1000, -1000, -1000.5f], 2, 2)]);
    }

    [Theory, MemberData(nameof(Forward))]
    public void Rows_are_repeated_in_succession(Subject subject)
    {
        Tolerance.Exact.Check(subject, (b, x) => b.Repeat(x[0], 3), [Numbers.Gaussian("x", 2, 5)]);
        Tolerance.Exact.Check(subject, (b, x) => b.Repeat(x[0], 2), [Numbers.Gaussian("x", 3, 2, 4, 4)]);
    }
}
