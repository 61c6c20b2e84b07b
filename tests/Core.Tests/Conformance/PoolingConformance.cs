using VaeFunctions.Autograd;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Conformance;

/// <summary>The largest under a window, and where its gradient goes.</summary>
public class PoolingConformance
{
    /// <summary>Batch, channels, height and width: odd ones, ones smaller than the kernel, ones that occupy threads.</summary>
    static readonly int[][] sizes =
        [[1, 1, 1, 1], [2, 3, 7, 6], [1, 2, 1, 9], [0, 2, 6, 6], [3, 17, 11, 9], [2, 33, 8, 8], [1, 3, 32, 33]];

    static readonly Window[] windows = [new(1), new(2, 2), new(2, 2, 1), new(3, 1, 1), new(3, 2, 1), new(3, 3), new(5, 2, 2)];

    public static TheoryData<Subject> Forward => Subjects.Forward;

    public static TheoryData<ComputingSubject> Training => Subjects.Training;

    public static TheoryData<ComputingSubject> Taped => Subjects.Taped;

    [Theory, MemberData(nameof(Forward))]
    public void The_largest_agrees_for_every_window_and_size(Subject subject)
    {
        foreach (var (size, window) in Cases())
            Tolerance.Exact.Check(subject, (b, x) => b.MaxPool(x[0], window), [Numbers.Gaussian("x", size)], about: $"{window}");
    }

    /// <summary>All numbers are below 0, so that padding with zeros would show.</summary>
    [Theory, MemberData(nameof(Forward))]
    public void What_pads_is_never_the_largest(Subject subject) =>
        Tolerance.Exact.Check(subject, (b, x) => b.MaxPool(x[0], new(3, 2, 1)), [Numbers.Uniform("x", -2, -1, 2, 3, 5, 6)]);

    [Theory, MemberData(nameof(Training))]
    public void NaN_is_the_largest_of_its_windows_and_of_no_others(Subject subject)
    {
        var image = Numbers.Gaussian("x", 2, 3, 6, 7);
        image.Values[50] = float.NaN;
        image.Values[200] = float.PositiveInfinity;
        Tolerance.Exact.Check(subject, (b, x) => b.MaxPool(x[0], new(3, 2, 1)), [image]);
    }

    [Theory, MemberData(nameof(Taped))]
    public void The_gradient_goes_where_the_largest_was(Subject subject)
    {
        foreach (var (size, window) in Cases())
            Gradient(subject, Numbers.Gaussian("x", size), window);
    }

    [Theory, MemberData(nameof(Taped))]
    public void Of_equal_ones_the_first_has_the_gradient(Subject subject)
    {
        var zeros = Numbers.Of(new float[2 * 2 * 7 * 6], 2, 2, 7, 6);
        foreach (var window in windows) Gradient(subject, zeros, window);
    }

    static IEnumerable<(int[] Size, Window Window)> Cases() =>
        from size in sizes
        from window in windows
        where Math.Min(size[2], size[3]) + 2 * window.Padding >= window.Kernel
        select (size, window);

    static void Gradient(Subject subject, Numbers x, Window window) => new Tolerance(1e-6, 1e-6).Check(subject,
        (b, x) => ((ITapedBackend)b).MaxPoolGradient(x[0], x[1], window),
        [x, Numbers.Gaussian("gradient", ShapeRules.MaxPool(x.Shape, window).Axes)], about: $"{window}");
}
