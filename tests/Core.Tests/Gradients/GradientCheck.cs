using VaeFunctions.Reference;
using VaeFunctions.Tensors;
using VaeFunctions.Tests.Conformance;

namespace VaeFunctions.Tests.Gradients;

/// <summary>Compares what a tape says with what the function does: (L(x + h) − L(x − h)) / 2h in double precision.</summary>
/// <remarks>L = Σ weight · f(x) with fixed random weights, so that no two elements of the result may be taken for each other.
/// With h = 10⁻⁵ both the truncation, h² · L‴ / 6, and the rounding, 10⁻¹⁶ · L / h, are near 10⁻¹⁰.</remarks>
static class GradientCheck
{
    const double Step = 1e-5;

    /// <summary>Of the tape over the reference, against finite differences.</summary>
    public static void AgainstDifferences(Operation function, params Numbers[] inputs)
    {
        var backend = new ReferenceBackend();
        double[][] values = [.. inputs.Select(input => Array.ConvertAll(input.Values, value => (double)value))];
        var gradients = Analytic(backend, function, inputs);
        for (var input = 0; input < inputs.Length; input++)
        {
            var analytic = ((ReferenceTensor)gradients[input]).Values;
            Assert.Equal(inputs[input].Shape, gradients[input].Shape);
            for (var i = 0; i < values[input].Length; i++)
            {
                var difference = (LossAt(input, i, Step) - LossAt(input, i, -Step)) / (2 * Step);
                Assert.True(Math.Abs(analytic[i] - difference) <= 1e-6 * Math.Max(1, Math.Abs(difference)),
                    $"Input {input}, element {i} at {values[input][i]:g6}: the gradient is {analytic[i]:g9} but differences "
                        + $"say {difference:g9}.");
            }
        }

        double LossAt(int input, int i, double step)
        {
            var before = values[input][i];
            values[input][i] += step;
            var loss = Loss(backend, function, [.. values.Select((value, n) => backend.FromDoubles(value, inputs[n].Shape))]);
            values[input][i] = before;
            return ((ReferenceTensor)loss).Values[0];
        }
    }

    /// <summary>Of a back end's tape, against the tape over the reference.</summary>
    /// <param name="tolerance">Relative to the largest gradient of an input: single precision through several operations.</param>
    public static void AgainstReference(ComputingSubject subject, Operation function, double tolerance, params Numbers[] inputs)
    {
        var expected = Analytic(new ReferenceBackend(), function, inputs);
        var backend = subject.Create();
        using var scope = backend.BeginScope();
        var actual = Analytic(backend, function, inputs);
        for (var input = 0; input < inputs.Length; input++)
        {
            var (exact, single) = (((ReferenceTensor)expected[input]).Values, actual[input].ToArray());
            var largest = exact.Select(Math.Abs).DefaultIfEmpty(0).Max();
            for (var i = 0; i < exact.Length; i++)
            {
                Assert.True(Math.Abs(exact[i] - single[i]) <= tolerance * largest,
                    $"Input {input}, element {i}: the gradient is {single[i]:g9} on {subject} but {exact[i]:g9} by definition "
                        + $"(largest {largest:g3}).");
            }
        }
    }

    static Tensor[] Analytic(ITrainingBackend backend, Operation function, Numbers[] inputs)
    {
        var tape = backend.Record();
        Tensor[] variables = [.. inputs.Select(input => tape.Variable(backend.FromValues(input.Values, input.Shape)))];
        var gradients = tape.Backward(Loss(tape, function, variables));
        return [.. variables.Select(
            variable => gradients[variable] ?? throw new InvalidOperationException("An input has no gradient."))];
    }

    static Tensor Loss(IBackend backend, Operation function, Tensor[] inputs)
    {
        var result = function(backend, inputs);
        var weights = Numbers.Gaussian("weights of the loss", result.Shape.Axes);
        return (result * backend.FromValues(weights.Values, weights.Shape)).Sum();
    }
}
