using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Conformance;

/// <summary>Convolution, its transpose, and its gradient in the weight.</summary>
public class ConvolutionConformance
{
    /// <summary>Batch, channels, height, width, output channels: odd ones, ones that fill vector lanes, ones that occupy
    /// threads.</summary>
    static readonly (int N, int C, int H, int W, int O)[] sizes =
    [
        (1, 1, 1, 1, 1), (1, 1, 7, 7, 1), (2, 3, 5, 8, 4), (0, 2, 6, 6, 3), (3, 17, 11, 9, 33), (3, 3, 32, 32, 8),
        (5, 16, 8, 8, 17),
        (2, 64, 4, 4, 33), (8, 4, 1, 1, 33), (8, 4, 1, 2, 33), (2, 3, 3, 3, 3), (2, 2, 5, 1, 2), (2, 2, 1, 13, 5),
    ];

    static readonly int[] kernels = [1, 2, 3, 4, 5];
    static readonly int[] strides = [1, 2, 3];
    static readonly int[] paddings = [0, 1, 2];

    static IEnumerable<Window> Windows =>
        from kernel in kernels from stride in strides from padding in paddings select new Window(kernel, stride, padding);

    public static TheoryData<Subject> Forward => Subjects.Forward;

    public static TheoryData<ComputingSubject> Training => Subjects.Training;

    [Theory, MemberData(nameof(Forward))]
    public void Convolution_agrees_for_every_window(Subject subject)
    {
        foreach (var window in Windows)
            Convolution(subject, (2, 3, 7, 6, 5), window);
    }

    [Theory, MemberData(nameof(Forward))]
    public void Convolution_agrees_for_every_size(Subject subject)
    {
        foreach (var size in sizes)
            foreach (var window in new[] { new Window(3, 1, 1), new Window(4, 2, 1), new Window(3, 2, 1), new Window(1) })
                if (Math.Min(size.H, size.W) + 2 * window.Padding >= window.Kernel)
                    Convolution(subject, size, window);
    }

    [Theory, MemberData(nameof(Forward))]
    public void Convolution_agrees_where_the_kernel_is_larger_than_the_image(Subject subject)
    {
        Convolution(subject, (2, 3, 1, 2, 4), new Window(5, 1, 2));
        Convolution(subject, (2, 3, 2, 1, 4), new Window(4, 3, 2));
        Convolution(subject, (1, 1, 1, 1, 1), new Window(3, 1, 3));
    }

    [Theory, MemberData(nameof(Forward))]
    public void Convolution_takes_no_account_of_output_padding(Subject subject) =>
        Convolution(subject, (2, 3, 6, 6, 4), new Window(3, 2, 1, OutputPadding: 1));

    [Theory, MemberData(nameof(Forward))]
    public void Transposed_convolution_agrees_for_every_window(Subject subject)
    {
        foreach (var window in Windows)
            for (var outputPadding = 0; outputPadding < window.Stride; outputPadding++)
                Transposed(subject, (2, 5, 4, 3, 3), window with { OutputPadding = outputPadding });
    }

    [Theory, MemberData(nameof(Forward))]
    public void Transposed_convolution_agrees_for_every_size(Subject subject)
    {
        foreach (var size in sizes)
            foreach (var window in new[] { new Window(3, 1, 1), new Window(4, 2, 1), new Window(3, 2, 1, 1), new Window(1) })
                Transposed(subject, size, window);
    }

    [Theory, MemberData(nameof(Forward))]
    public void Convolutions_carry_NaN_to_what_it_touches_and_no_further(Subject subject)
    {
        var image = Numbers.Gaussian("x", 2, 3, 6, 7);
        image.Values[50] = float.NaN;
        image.Values[200] = float.PositiveInfinity;
        Tolerance.Sum.Check(subject, (b, x) => b.Conv(x[0], x[1], new Window(3)),
            [image, Numbers.Gaussian("weight", 17, 3, 3, 3)], sumOfMagnitudes: true);
        Tolerance.Sum.Check(subject, (b, x) => b.ConvTranspose(x[0], x[1], new Window(3, 2)),
            [image, Numbers.Gaussian("weight", 3, 17, 3, 3)], sumOfMagnitudes: true);
    }

    [Theory, MemberData(nameof(Forward))]
    public void Bias_per_channel_agrees(Subject subject)
    {
        var weight = Numbers.Gaussian("weight", 17, 3, 3, 3);
        var bias = Numbers.Gaussian("bias", 17);
        Tolerance.Rounded.Check(subject, (b, x) => b.AddPerChannel(x[0], x[1]), [Numbers.Gaussian("x", 3, 17, 5, 7), bias]);
        Tolerance.Sum.Check(subject, (b, x) => b.AddPerChannel(b.Conv(x[0], x[1], new Window(3, 2, 1)), x[2]),
            [Numbers.Gaussian("x", 3, 3, 9, 9), weight, bias], sumOfMagnitudes: true);
        Tolerance.Sum.Check(subject, (b, x) => b.AddPerChannel(b.ConvTranspose(x[0], x[1], new Window(3, 2, 1, 1)), x[2]),
            [Numbers.Gaussian("x", 3, 3, 9, 9), Numbers.Gaussian("weight", 3, 17, 3, 3), bias], sumOfMagnitudes: true);
    }

    /// <summary>Few channels, some, and more weights than a cache holds.</summary>
    [Theory, MemberData(nameof(Forward))]
    public void Bias_and_ReLU_agree_within_a_convolution(Subject subject)
    {
        foreach (var (inputs, outputs) in new[] { (3, 1), (5, 3), (3, 17), (40, 800) })
        {
            var bias = Numbers.Gaussian("bias", outputs);
            foreach (var relu in new[] { false, true })
            {
                foreach (var window in new[] { new Window(3, 1, 1), new Window(4, 2, 1) })
                {
                    Tolerance.Sum.Check(subject, (b, x) => b.Conv(x[0], x[1], x[2], window, relu),
                        [Numbers.Gaussian("x", 2, inputs, 6, 4), Numbers.Gaussian(
                            "weight", outputs, inputs, window.Kernel, window.Kernel), bias],
                        sumOfMagnitudes: true, $"{window}");
                    Tolerance.Sum.Check(subject, (b, x) => b.ConvTranspose(x[0], x[1], x[2], window, relu),
                        [Numbers.Gaussian("x", 2, inputs, 6, 4), Numbers.Gaussian(
                            "weight", inputs, outputs, window.Kernel, window.Kernel), bias],
                        sumOfMagnitudes: true, $"{window}");
                }
            }
        }
    }

    [Theory, MemberData(nameof(Training))]
    public void Weight_gradient_agrees_for_every_window(Subject subject)
    {
        foreach (var window in Windows)
            WeightGradient(subject, (2, 3, 7, 6, 5), window);
    }

    [Theory, MemberData(nameof(Training))]
    public void Weight_gradient_agrees_for_every_size(Subject subject)
    {
        foreach (var size in sizes.Where(size => size.N > 0)) // no step is trained on an empty batch
            foreach (var window in new[] { new Window(3, 1, 1), new Window(4, 2, 1), new Window(3, 2, 1), new Window(1) })
                if (Math.Min(size.H, size.W) + 2 * window.Padding >= window.Kernel)
                    WeightGradient(subject, size, window);
    }

    static void Convolution(Subject subject, (int N, int C, int H, int W, int O) size, Window window) =>
        Tolerance.Sum.Check(subject, (b, x) => b.Conv(x[0], x[1], window),
            [Numbers.Gaussian("x", size.N, size.C, size.H, size.W), Numbers.Gaussian(
                "weight", size.O, size.C, window.Kernel, window.Kernel)],
            sumOfMagnitudes: true, $"{window}");

    static void Transposed(Subject subject, (int N, int C, int H, int W, int O) size, Window window)
    {
        if ((Math.Min(size.H, size.W) - 1) * window.Stride - 2 * window.Padding + window.Kernel + window.OutputPadding < 1)
            return;
        Tolerance.Sum.Check(subject, (b, x) => b.ConvTranspose(x[0], x[1], window),
            [Numbers.Gaussian("x", size.N, size.C, size.H, size.W), Numbers.Gaussian(
                "weight", size.C, size.O, window.Kernel, window.Kernel)],
            sumOfMagnitudes: true, $"{window}");
    }

    static void WeightGradient(Subject subject, (int N, int C, int H, int W, int O) size, Window window) =>
        Tolerance.Sum.Check(subject, (b, x) => WeightGradient((ITrainingBackend)b, x[0], x[1], window),
            [
                Numbers.Gaussian("x", size.N, size.C, size.H, size.W),
                Numbers.Gaussian("gradient", size.N, size.O, window.Convolved(size.H), window.Convolved(size.W)),
            ],
            sumOfMagnitudes: true, $"{window}");

    /// <summary>That of Σ gradient · Conv(x, weight), which is the same for every weight.</summary>
    static Tensor WeightGradient(ITrainingBackend backend, Tensor x, Tensor gradient, Window window)
    {
        var shape = ShapeRules.ConvWeightGradient(x.Shape, gradient.Shape, window);
        var tape = backend.Record();
        var weight = tape.Variable(backend.FromValues(new float[shape.Count], shape));
        var y = tape.Conv(tape.Constant(x), weight, window);
        return tape.Backward((y * tape.Constant(gradient)).Sum())[weight]!;
    }
}
