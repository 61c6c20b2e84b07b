using VaeFunctions.Autograd;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Conformance;

/// <summary>Batch normalisation at inference, in training, and its gradients; group normalisation likewise.</summary>
/// <remarks>Differences from the mean cancel, so that errors are absolute, in units of the normalised values: about 1.</remarks>
public class NormalizationConformance
{
    const float Epsilon = 1e-5f;

    static readonly Tolerance normalised = new(1e-5, 1e-5);

    static readonly int[][] shapes = [[2, 1, 1, 1], [1, 3, 2, 2], [3, 5, 7, 3], [17, 33, 4, 4], [8, 16, 31, 17], [64, 32, 8, 8]];

    public static TheoryData<Subject> Forward => Subjects.Forward;

    public static TheoryData<ComputingSubject> Taped => Subjects.Taped;

    [Theory, MemberData(nameof(Forward))]
    public void Inference_agrees(Subject subject)
    {
        foreach (var shape in shapes)
        {
            normalised.Check(subject, (b, x) => b.BatchNormalization(x[0], x[1], x[2], x[3], x[4], Epsilon),
                [Image(shape), Channels("mean"), Numbers.Uniform(
                    "variance", 0.1f, 4, shape[1]), Channels("weight"), Channels("bias")]);

            Numbers Channels(string name) => Numbers.Gaussian(name, shape[1]);
        }
    }

    [Theory, MemberData(nameof(Forward))]
    public void Inference_keeps_NaN_to_its_channel(Subject subject)
    {
        var mean = Numbers.Of([0, float.NaN, 0], 3);
        var ones = Numbers.Of([1, 1, 1], 3);
        normalised.Check(subject, (b, x) => b.BatchNormalization(x[0], x[1], x[2], x[3], x[4], Epsilon),
            [Image([2, 3, 5, 5]), mean, ones, ones, ones]);
    }

    [Theory, MemberData(nameof(Forward))]
    public void Training_agrees_in_output_mean_and_variance(Subject subject)
    {
        foreach (var shape in shapes)
        {
            Numbers[] inputs = [Image(shape), Numbers.Gaussian("weight", shape[1]), Numbers.Gaussian("bias", shape[1])];
            normalised.Check(
                subject, (b, x) => b.BatchNormalizationTraining(x[0], x[1], x[2], Epsilon).Output, inputs, about: "output");
            normalised.Check(
                subject, (b, x) => b.BatchNormalizationTraining(x[0], x[1], x[2], Epsilon).Mean, inputs, about: "mean");
            normalised.Check(
                subject, (b, x) => b.BatchNormalizationTraining(x[0], x[1], x[2], Epsilon).Variance, inputs, about: "variance");
        }
    }

    /// <summary>E[x²] − E[x]² in single precision would give a variance of anything here; 100 ± 0.01 leaves four
    /// digits.</summary>
    [Theory, MemberData(nameof(Forward))]
    public void Training_keeps_a_variance_that_is_small_beside_the_mean(Subject subject)
    {
        var x = Image([8, 3, 16, 16]);
        for (var i = 0; i < x.Values.Length; i++) x.Values[i] = 100 + 0.01f * x.Values[i];
        new Tolerance(1e-3).Check(subject, (b, x) => b.BatchNormalizationTraining(x[0], x[1], x[2], Epsilon).Variance,
            [x, Numbers.Gaussian("weight", 3), Numbers.Gaussian("bias", 3)]);
    }

    [Theory, MemberData(nameof(Forward))]
    public void A_constant_image_is_normalised_to_the_bias(Subject subject)
    {
        var x = Numbers.Of([.. Enumerable.Repeat(0.5f, 2 * 3 * 7 * 5)], 2, 3, 7, 5);
        normalised.Check(subject, (b, x) => b.BatchNormalizationTraining(x[0], x[1], x[2], Epsilon).Output,
            [x, Numbers.Gaussian("weight", 3), Numbers.Gaussian("bias", 3)]);
    }

    [Theory, MemberData(nameof(Taped))]
    public void Gradients_agree(Subject subject)
    {
        foreach (var shape in shapes)
        {
            Numbers[] inputs =
            [
                Image(shape), Numbers.Gaussian("mean", shape[1]), Numbers.Uniform("variance", 0.1f, 4, shape[1]),
                Numbers.Gaussian("weight", shape[1]),
                Numbers.Gaussian("gradient", shape),
            ];
            var sum = new Tolerance(1e-5, 1e-6 * shape[0] * shape[2] * shape[3]);
            normalised.Check(subject, (b, x) => Gradient(b, x).X, inputs, about: "input");
            sum.Check(subject, (b, x) => Gradient(b, x).Weight, inputs, about: "weight");
            sum.Check(subject, (b, x) => Gradient(b, x).Bias, inputs, about: "bias");
        }

        static (Tensor X, Tensor Weight, Tensor Bias) Gradient(IBackend b, IReadOnlyList<Tensor> x) =>
            ((ITapedBackend)b).BatchNormalizationGradient(x[0], x[1], x[2], x[3], x[4], Epsilon);
    }

    /// <summary>Images, channels, height, width and groups: all channels together, each by itself, and between.</summary>
    static readonly (int[] Shape, int Groups)[] grouped =
    [
        ([2, 3, 1, 2], 1), ([1, 4, 2, 2], 2), ([3, 6, 7, 3], 3), ([5, 5, 3, 4], 5), ([3, 16, 31, 17], 8), ([17, 32, 8, 8], 8),
    ];

    [Theory, MemberData(nameof(Forward))]
    public void Group_normalisation_agrees(Subject subject)
    {
        foreach (var (shape, groups) in grouped)
            normalised.Check(subject, (b, x) => b.GroupNormalization(x[0], x[1], x[2], groups, Epsilon),
                [Image(shape), Numbers.Gaussian("weight", shape[1]), Numbers.Gaussian("bias", shape[1])],
                about: $"{groups} groups");
    }

    [Theory, MemberData(nameof(Forward))]
    public void Group_normalisation_of_an_image_does_not_depend_on_the_others(Subject subject)
    {
        var images = Image([3, 4, 5, 5]);
        var first = new Numbers(images.Values[..100], new(1, 4, 5, 5));
        Numbers weight = Numbers.Gaussian("weight", 4), bias = Numbers.Gaussian("bias", 4);
        var together = subject.Run((b, x) => b.GroupNormalization(x[0], x[1], x[2], 2, Epsilon), [images, weight, bias]);
        var alone = subject.Run((b, x) => b.GroupNormalization(x[0], x[1], x[2], 2, Epsilon), [first, weight, bias]);
        Assert.All(alone.Values.Zip(together.Values), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Theory, MemberData(nameof(Taped))]
    public void Gradients_of_group_normalisation_agree(Subject subject)
    {
        foreach (var (shape, groups) in grouped)
        {
            Numbers[] inputs = [Image(shape), Numbers.Gaussian("weight", shape[1]), Numbers.Gaussian("gradient", shape)];
            var sum = new Tolerance(1e-5, 1e-6 * shape[0] * shape[2] * shape[3]);
            normalised.Check(subject, (b, x) => Gradient(b, x).X, inputs, about: "input");
            sum.Check(subject, (b, x) => Gradient(b, x).Weight, inputs, about: "weight");
            sum.Check(subject, (b, x) => Gradient(b, x).Bias, inputs, about: "bias");

            (Tensor X, Tensor Weight, Tensor Bias) Gradient(IBackend b, IReadOnlyList<Tensor> x) =>
                ((ITapedBackend)b).GroupNormalizationGradient(x[0], x[1], x[2], groups, Epsilon);
        }
    }

    /// <summary>Every channel with another mean and deviation.</summary>
    static Numbers Image(int[] shape)
    {
        var x = Numbers.Gaussian("x", shape);
        var pixels = shape[2] * shape[3];
        for (var i = 0; i < x.Values.Length; i++)
        {
            var channel = i / pixels % shape[1];
            x.Values[i] = x.Values[i] * (0.5f + channel % 3) + channel % 5 - 2;
        }
        return x;
    }
}
