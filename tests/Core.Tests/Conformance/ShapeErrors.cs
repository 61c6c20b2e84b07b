using VaeFunctions.Autograd;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Conformance;

/// <summary>Operands that do not fit together are told so, by every back end, in words that name the operation and both
/// shapes.</summary>
public class ShapeErrors
{
    static readonly Dictionary<string, (Operation Operation, int[][] Shapes)> forward = new()
    {
        ["Add: left is [2, 3] but right is [4]; axes must be equal or 1."] = ((b, x) => b.Add(x[0], x[1]), [[2, 3], [4]]),
        ["left is [3] but right is [0]"] = ((b, x) => b.Multiply(x[0], x[1]), [[3], [0]]),
        ["Reshape: [2, 3] cannot become [4, 2]"] = ((b, x) => b.Reshape(x[0], 4, 2), [[2, 3]]),
        ["Reshape: [2, 3] cannot become [-1, -1]"] = ((b, x) => b.Reshape(x[0], -1, -1), [[2, 3]]),
        ["Reshape: [2, 3] cannot become [4, -1]"] = ((b, x) => b.Reshape(x[0], 4, -1), [[2, 3]]),
        ["Reshape: [2, 3] cannot become [2, 3, 0]"] = ((b, x) => b.Reshape(x[0], 2, 3, 0), [[2, 3]]),
        ["Transpose: x is [2, 3] but the order is [0]"] = ((b, x) => b.Transpose(x[0], 0), [[2, 3]]),
        ["Transpose: x is [2, 3] but the order is [1, 1]"] = ((b, x) => b.Transpose(x[0], 1, 1), [[2, 3]]),
        ["Transpose: x is [2, 3] but the order is [0, 2]"] = ((b, x) => b.Transpose(x[0], 0, 2), [[2, 3]]),
        ["Concat: there are no parts"] = ((b, _) => b.Concat(0), [[1]]),
        ["Concat: part 0 is [2, 3] but part 1 is [3, 3]; all axes but 1 must be equal."] =
            ((b, x) => b.Concat(1, x[0], x[1]), [[2, 3], [3, 3]]),
        ["Concat: part 0 is [2, 3] but part 1 is [6]"] = ((b, x) => b.Concat(0, x[0], x[1]), [[2, 3], [6]]),
        ["Concat: there is no axis 2 in [2, 3]; it must be from -2 to 1."] = ((b, x) => b.Concat(2, x[0]), [[2, 3]]),
        ["Slice: x is [2, 3] but 2 elements from 2 were asked of axis 1; it has 3."] =
            ((b, x) => b.Slice(x[0], 1, 2, 2), [[2, 3]]),
        ["Slice: x is [2, 3] but 1 elements from -1 were asked"] = ((b, x) => b.Slice(x[0], 1, -1, 1), [[2, 3]]),
        ["were asked of axis 1; it has 3"] = ((b, x) => b.Slice(x[0], 1, 1, int.MaxValue), [[2, 3]]),
        ["Slice: there is no axis -3 in [2, 3]"] = ((b, x) => b.Slice(x[0], -3, 0, 1), [[2, 3]]),
        ["ReduceSum: there is no axis 2 in [2, 3]"] = ((b, x) => b.ReduceSum(x[0], false, 2), [[2, 3]]),
        ["ReduceSum: x is [2, 3] and axis -1 is named twice"] = ((b, x) => b.ReduceSum(x[0], false, 1, -1), [[2, 3]]),
        ["MatMul: left is [32, 784] but right is [400, 20]; the inner axes must match."] =
            ((b, x) => b.MatMul(x[0], x[1]), [[32, 784], [400, 20]]),
        ["MatMul: left is [4, 3] transposed but right is [3, 4]"] =
            ((b, x) => b.MatMul(x[0], x[1], transposeLeft: true), [[4, 3], [3, 4]]),
        ["MatMul: left is [2, 3, 4] and right is [4, 5]; both must be matrices."] =
            ((b, x) => b.MatMul(x[0], x[1]), [[2, 3, 4], [4, 5]]),
        ["Linear: x is [2, 3] but weight is [3, 4]"] = ((b, x) => b.Linear(x[0], x[1], x[2]), [[2, 3], [3, 4], [3]]),
        ["Linear: weight is [4, 3] but bias is [1]; bias must be [4]."] =
            ((b, x) => b.Linear(x[0], x[1], x[2]), [[2, 3], [4, 3], [1]]),
        ["Conv: x is [3, 8, 8]; it must be [batch, channels, height, width]"] =
            ((b, x) => b.Conv(x[0], x[1], new Window(3)), [[3, 8, 8], [4, 3, 3, 3]]),
        ["Conv: x is [2, 3, 8, 8] but weight is [4, 2, 3, 3]; x has 3 channels, the weight takes 2."] =
            ((b, x) => b.Conv(x[0], x[1], new Window(3)), [[2, 3, 8, 8], [4, 2, 3, 3]]),
        ["Conv: the kernel is 3 but weight is [4, 3, 3, 2]"] =
            ((b, x) => b.Conv(x[0], x[1], new Window(3)), [[2, 3, 8, 8], [4, 3, 3, 2]]),
        ["a kernel of 3 does not fit an image of 2 padded by 0"] =
            ((b, x) => b.Conv(x[0], x[1], new Window(3)), [[2, 3, 8, 2], [4, 3, 3, 3]]),
        ["kernel and stride must be at least 1"] = ((b, x) => b.Conv(x[0], x[1], new Window(3, 0)), [[2, 3, 8, 8], [4, 3, 3, 3]]),
        ["paddings at least 0"] = ((b, x) => b.Conv(x[0], x[1], new Window(3, 1, -1)), [[2, 3, 8, 8], [4, 3, 3, 3]]),
        ["ConvTranspose: x is [2, 3, 8, 8] but weight is [4, 3, 3, 3]"] =
            ((b, x) => b.ConvTranspose(x[0], x[1], new Window(3)), [[2, 3, 8, 8], [4, 3, 3, 3]]),
        ["ConvTranspose: output padding is 2 but stride is 2; it must be smaller."] =
            ((b, x) => b.ConvTranspose(x[0], x[1], new Window(3, 2, 1, 2)), [[2, 3, 8, 8], [3, 4, 3, 3]]),
        ["leaves nothing of an extent of 1"] =
            ((b, x) => b.ConvTranspose(x[0], x[1], new Window(1, 1, 1)), [[2, 3, 1, 1], [3, 4, 1, 1]]),
        ["AddPerChannel: x is [2, 3, 4, 4] but bias is [4]; bias must be [3]"] =
            ((b, x) => b.AddPerChannel(x[0], x[1]), [[2, 3, 4, 4], [4]]),
        ["AddPerChannel: x is [2, 3]"] = ((b, x) => b.AddPerChannel(x[0], x[1]), [[2, 3], [3]]),
        ["BatchNormalization: x is [2, 3, 4, 4] but variance is [1]"] =
            ((b, x) => b.BatchNormalization(x[0], x[1], x[2], x[1], x[1], 1e-5f), [[2, 3, 4, 4], [3], [1]]),
        ["BatchNormalization: x is [2, 3, 4, 4] but weight is [2]"] =
            ((b, x) => b.BatchNormalizationTraining(x[0], x[1], x[1], 1e-5f).Output, [[2, 3, 4, 4], [2]]),
        ["MaxPool: x is [3, 8, 8]; it must be [batch, channels, height, width]"] =
            ((b, x) => b.MaxPool(x[0], new Window(3)), [[3, 8, 8]]),
        ["MaxPool: padding is 2 but the kernel 3; it must be at most half of that."] =
            ((b, x) => b.MaxPool(x[0], new Window(3, 2, 2)), [[2, 3, 8, 8]]),
        ["MaxPool: x is [2, 3, 8, 2]; a kernel of 5 does not fit an image padded by 1."] =
            ((b, x) => b.MaxPool(x[0], new Window(5, 2, 1)), [[2, 3, 8, 2]]),
        ["GroupNormalization: x is [2, 6, 4, 4] but weight is [4]"] =
            ((b, x) => b.GroupNormalization(x[0], x[1], x[1], 2, 1e-5f), [[2, 6, 4, 4], [4]]),
        ["GroupNormalization: x is [2, 6, 4, 4]; its 6 channels do not make 4 equal groups."] =
            ((b, x) => b.GroupNormalization(x[0], x[1], x[1], 4, 1e-5f), [[2, 6, 4, 4], [6]]),
        ["ArgMax: x is []; its innermost axis"] = ((b, x) => b.ArgMax(x[0]), [[]]),
        ["SquaredErrorSum: x is [2, 3] but target is [3]; the shapes must be equal."] =
            ((b, x) => b.SquaredErrorSum(x[0], x[1]), [[2, 3], [3]]),
        ["BinaryCrossEntropySum: logits is [2, 3] but target is [2, 1]"] =
            ((b, x) => b.BinaryCrossEntropySum(x[0], x[1]), [[2, 3], [2, 1]]),
        ["FromValues: there are 2 values but shape [3] has 3 elements"] = ((b, _) => b.FromValues([1, 2], new Shape(3)), [[1]]),
        ["FromValues: the shape is [N, 3]"] = ((b, _) => b.FromValues([1, 2, 3], new Shape(Shape.Dynamic, 3)), [[1]]),
    };

    static readonly Dictionary<string, (Operation Operation, int[][] Shapes)> training = new()
    {
        ["CopyTo: the tensor is [2, 3], 6 elements, but the destination has 5"] =
            ((b, x) => { b.CopyTo(x[0], new float[5]); return x[0]; }, [[2, 3]]),
        ["Assign: target is [2, 3] but value is [3, 2]"] =
            ((b, x) => { Of(b).Assign(x[0], x[1]); return x[0]; }, [[2, 3], [3, 2]]),
    };

    static readonly Dictionary<string, (Operation Operation, int[][] Shapes)> taped = new()
    {
        ["ReluGradient: left is [2, 3] but right is [3]; the shapes must be equal."] =
            ((b, x) => ((ITapedBackend)b).ReluGradient(x[0], x[1], 0), [[2, 3], [3]]),
        ["ClipGradient: left is [2, 3] but right is [1]; the shapes must be equal."] =
            ((b, x) => ((ITapedBackend)b).ClipGradient(x[0], x[1], 0, 1), [[2, 3], [1]]),
        ["ConvWeightGradient: gradient is [2, 4, 5, 6]"] =
            ((b, x) => ((ITapedBackend)b).ConvWeightGradient(x[0], x[1], new Window(3)), [[2, 3, 8, 8], [2, 4, 5, 6]]),
        ["ConvWeightGradient: gradient is [1, 4, 6, 6]"] =
            ((b, x) => ((ITapedBackend)b).ConvWeightGradient(x[0], x[1], new Window(3)), [[2, 3, 8, 8], [1, 4, 6, 6]]),
        ["MaxPoolGradient: gradient is [2, 3, 8, 8] but the pool of [2, 3, 8, 8] is [2, 3, 4, 4]"] =
            ((b, x) => ((ITapedBackend)b).MaxPoolGradient(x[0], x[0], new Window(2, 2)), [[2, 3, 8, 8]]),
        ["SiluGradient: left is [2, 3] but right is [3]"] =
            ((b, x) => ((ITapedBackend)b).SiluGradient(x[0], x[1]), [[2, 3], [3]]),
        ["GroupNormalizationGradient: x is [2, 4, 2, 2] but gradient is [2, 4, 2, 1]"] =
            ((b, x) => ((ITapedBackend)b).GroupNormalizationGradient(x[0], x[1], x[2], 2, 1e-5f).X,
                [[2, 4, 2, 2], [4], [2, 4, 2, 1]]),
        ["BatchNormalizationGradient: x is [2, 3, 4, 4] but gradient is [2, 3, 4, 5]"] =
            ((b, x) => ((ITapedBackend)b).BatchNormalizationGradient(
                x[0], x[1], x[1], x[1], x[2], 1e-5f).X, [[2, 3, 4, 4], [3], [2, 3, 4, 5]]),
    };

    public static TheoryData<Subject, string> Forward => Subjects.ForwardTimes(forward.Keys.Order());

    public static TheoryData<ComputingSubject, string> Training => Subjects.TrainingTimes(training.Keys.Order());

    public static TheoryData<ComputingSubject, string> Taped => Subjects.TapedTimes(taped.Keys.Order());

    [Theory, MemberData(nameof(Forward))]
    public void A_misfit_is_named(Subject subject, string message) => Check(subject, message, forward);

    [Theory, MemberData(nameof(Training))]
    public void A_misfit_in_training_is_named(Subject subject, string message) => Check(subject, message, training);

    [Theory, MemberData(nameof(Taped))]
    public void A_misfit_in_a_gradient_is_named(Subject subject, string message) => Check(subject, message, taped);

    static void Check(Subject subject, string message, Dictionary<string, (Operation Operation, int[][] Shapes)> cases)
    {
        var (operation, shapes) = cases[message];
        Numbers[] inputs = [.. shapes.Select(shape => Numbers.Gaussian("x", shape))];
        Assert.Contains(message, Assert.Throws<ShapeException>(() => Subjects.Reference.Run(operation, inputs)).Message);
        Assert.Contains(message, Assert.Throws<ShapeException>(() => subject.Run(operation, inputs)).Message);
    }

    static ITrainingBackend Of(IBackend backend) => (ITrainingBackend)backend;
}
