using VaeFunctions.Autograd;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Conformance;

/// <summary>What only a back end that trains can do: gradients of kinked functions, writing in place, steps of
/// optimizers.</summary>
public class TrainingConformance
{
    static readonly int[] lengths = [1, 3, 7, 16, 17, 31, 33, 20_003];

    public static TheoryData<ComputingSubject> Training => Subjects.Training;

    public static TheoryData<ComputingSubject> Taped => Subjects.Taped;

    [Theory, MemberData(nameof(Taped))]
    public void Relu_gradient_agrees(Subject subject)
    {
        foreach (var slope in new[] { 0f, 0.2f })
        {
            foreach (var length in lengths)
            {
                Tolerance.Rounded.Check(subject, (b, x) => ((ITapedBackend)b).ReluGradient(x[0], x[1], slope),
                    [Numbers.Gaussian("x", length), Numbers.Gaussian("gradient", length)], about: $"slope {slope}");
            }
            var special = Numbers.Special();
            Tolerance.Rounded.Check(subject, (b, x) => ((ITapedBackend)b).ReluGradient(x[0], x[1], slope),
                [special, Numbers.Gaussian("gradient", special.Values.Length)], about: $"slope {slope}");
        }
    }

    [Theory, MemberData(nameof(Taped))]
    public void Clip_gradient_agrees(Subject subject)
    {
        foreach (var length in lengths)
        {
            Tolerance.Exact.Check(subject, (b, x) => ((ITapedBackend)b).ClipGradient(x[0], x[1], -0.5f, 1),
                [Numbers.Gaussian("x", length), Numbers.Gaussian("gradient", length)]);
        }
        var special = Numbers.Special();
        Tolerance.Exact.Check(subject, (b, x) => ((ITapedBackend)b).ClipGradient(x[0], x[1], -0.5f, 1),
            [special, Numbers.Gaussian("gradient", special.Values.Length)]);
    }

    [Theory, MemberData(nameof(Taped))]
    public void Gradients_carry_NaN(Subject subject)
    {
        var gradient = Numbers.Of([float.NaN, 1, float.PositiveInfinity, 2], 4);
        Tolerance.Exact.Check(
            subject, (b, x) => ((ITapedBackend)b).ReluGradient(x[0], x[1], 0.5f), [Numbers.Of([1, 1, -1, -1], 4), gradient]);
        Tolerance.Exact.Check(
            subject, (b, x) => ((ITapedBackend)b).ClipGradient(x[0], x[1], 0, 1), [Numbers.Of([1, 2, 0, 0.5f], 4), gradient]);
    }

    [Theory, MemberData(nameof(Training))]
    public void Assign_overwrites_the_target_and_leaves_the_value(Subject subject)
    {
        foreach (var shape in new int[][] { [], [17], [3, 33], [0, 2] })
        {
            Numbers[] inputs = [Numbers.Gaussian("target", shape), Numbers.Gaussian("value", shape)];
            Tolerance.Rounded.Check(subject, (b, x) => { Of(b).Assign(x[0], x[1]); return x[0] * 2; }, inputs);
            Tolerance.Rounded.Check(
                subject, (b, x) => { Of(b).Assign(x[0], x[1]); Of(b).Assign(x[0], x[0] + x[1]); return x[1]; }, inputs);
        }
    }

    /// <summary>Three steps, since bias correction depends on the step; all that was written in place is compared.</summary>
    [Theory, MemberData(nameof(Training))]
    public void Adam_agrees(Subject subject)
    {
        foreach (var options in new[] { new AdamOptions(), new AdamOptions(0.1f, 0.5f, 0.9f, 1e-3f) })
        {
            foreach (var length in lengths)
            {
                for (var result = 0; result < 3; result++)
                {
                    new Tolerance(3e-6, 1e-7).Check(subject, (b, x) =>
                    {
                        for (var step = 1; step <= 3; step++) Of(b).AdamStep(x[0], x[1] * step, x[2], x[3], options, step);
                        return x[result == 0 ? 0 : result + 1];
                    }, [Numbers.Gaussian("parameter", length), Numbers.Gaussian("gradient", length), Zeros(length),
                    Zeros(length)],
                        about: $"{options}, result {result}");
                }
            }
        }
    }

    [Theory, MemberData(nameof(Training))]
    public void RmsProp_agrees(Subject subject)
    {
        foreach (var length in lengths)
        {
            for (var result = 0; result < 3; result += 2)
            {
                new Tolerance(3e-6, 1e-7).Check(subject, (b, x) =>
                {
                    for (var step = 1; step <= 3; step++) Of(b).RmsPropStep(x[0], x[1] * step, x[2], new RmsPropOptions(0.01f));
                    return x[result];
                }, [Numbers.Gaussian("parameter", length), Numbers.Gaussian("gradient", length),
                Zeros(length)], about: $"result {result}");
            }
        }
    }

    [Theory, MemberData(nameof(Training))]
    public void A_gradient_of_NaN_reaches_the_parameter(Subject subject)
    {
        Numbers[] inputs = [Numbers.Of([1, 2], 2), Numbers.Of([float.NaN, 1], 2), Zeros(2), Zeros(2)];
        new Tolerance(1e-6).Check(
            subject, (b, x) => { Of(b).AdamStep(x[0], x[1], x[2], x[3], new AdamOptions(), 1); return x[0]; }, inputs);
        new Tolerance(1e-6).Check(
            subject, (b, x) => { Of(b).RmsPropStep(x[0], x[1], x[2], new RmsPropOptions()); return x[0]; }, inputs);
    }

    static ITrainingBackend Of(IBackend backend) => (ITrainingBackend)backend;

    static Numbers Zeros(int length) => Numbers.Of(new float[length], length);
}
