using VaeFunctions.Tensors;
using Xunit.Sdk;

namespace VaeFunctions.Tests.Conformance;

/// <summary>How far single precision may stray from the definition: |actual − expected| ≤ relative · magnitude +
/// absolute.</summary>
/// <remarks>The magnitude is |expected|, or, where terms cancel, the result of the same operation on the inputs' absolute
/// values.</remarks>
public readonly record struct Tolerance(double Relative, double Absolute = Tolerance.Flushed)
{
    /// <summary>A back end may take a denormal for zero, of an operand or of a result.</summary>
    public const double Flushed = 1.2e-38;

    /// <summary>Values are moved, not computed.</summary>
    public static Tolerance Exact => new(0, 0);

    /// <summary>Correctly rounded operations: half a unit in the last place, 2⁻²⁴, and the rounding of the definition.</summary>
    public static Tolerance Rounded => new(6.1e-8);

    /// <summary>Polynomials and rational functions: a few units in the last place.</summary>
    public static Tolerance Function => new(5e-7);

    /// <summary>Functions that saturate at 1 and may be computed as differences from it: exact to two roundings of 1, not of a
    /// small result.</summary>
    public static Tolerance Saturating => new(5e-7, 1.2e-7);

    /// <summary>Sums, of products too: each term is rounded, and the order is free. Relative to the sum of magnitudes.</summary>
    public static Tolerance Sum => new(1e-6);

    /// <summary>Runs an operation on a back end and on the definition, and compares.</summary>
    /// <param name="sumOfMagnitudes">Whether errors are measured against the operation's result on absolute values.</param>
    public void Check(
        Subject subject, Operation operation, IReadOnlyList<Numbers> inputs, bool sumOfMagnitudes = false, string? about = null)
    {
        var expected = Defined(operation, inputs);
        var magnitudes = sumOfMagnitudes ? Defined(operation, [.. inputs.Select(input => input.Absolute())]) : expected;
        var actual = subject.Run(operation, inputs);
        Assert.Equal(expected.Shape, actual.Shape);
        Assert.Equal(expected.Values.Length, actual.Values.Length);
        for (var i = 0; i < actual.Values.Length; i++)
        {
            if (!Holds(expected.Values[i], actual.Values[i], magnitudes.Values[i]))
            {
                var there = inputs.Select(input => i < input.Values.Length ? $"{input.Values[i]:g9}" : "-");
                throw new XunitException(
                    $"{subject} {about} {string.Join(" ", inputs.Select(input => input.Shape))}: element {i} of "
                        + $"{actual.Shape} is {actual.Values[i]:g9}, " +
                    $"but the definition says {expected.Values[i]:g17} (magnitude {magnitudes.Values[i]:g3}, {this}). " +
                    $"Inputs there: {string.Join(", ", there)}.");
            }
        }
    }

    bool Holds(double expected, float actual, double magnitude)
    {
        var rounded = (float)expected;
        if (!float.IsFinite(rounded)) return rounded.Equals(actual) || Overflows(expected, actual);
        return Math.Abs(actual - expected) <= Relative * Math.Abs(magnitude) + Absolute;
    }

    /// <summary>Whether the two lie on either side of the largest single, closer than the tolerance.</summary>
    bool Overflows(double expected, float actual) =>
        double.IsFinite(expected) && Math.Abs(actual - expected) <= Relative * Math.Abs(expected);

    static (double[] Values, Shape Shape) Defined(Operation operation, IReadOnlyList<Numbers> inputs)
    {
        var backend = new Reference.ReferenceBackend();
        var result = operation(backend, [.. inputs.Select(input => backend.FromValues(input.Values, input.Shape))]);
        return (((Reference.ReferenceTensor)result).Values, result.Shape);
    }
}
