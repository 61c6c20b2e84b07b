using VaeFunctions.Autograd;
using VaeFunctions.Reference;
using VaeFunctions.Tensors;

namespace VaeFunctions.Tests.Gradients;

public class TapeTests
{
    readonly ReferenceBackend reference = new();

    [Fact]
    public void A_weight_has_a_gradient_and_a_statistic_has_none()
    {
        var tape = new GradientTape(reference);
        var weight = new Parameter("weight", ParameterKind.Weight, reference.FromValues([2, 3], new Shape(2)));
        var statistic = new Parameter("running_mean", ParameterKind.Statistic, reference.FromValues([5, 7], new Shape(2)));
        var gradients = tape.Backward((tape.FromParameter(weight) * tape.FromParameter(statistic)).Sum());
        Assert.Equal([5, 7], gradients.Of(weight)!.ToArray());
        Assert.Null(gradients.Of(statistic));
    }

    [Fact]
    public void What_the_loss_does_not_depend_on_has_no_gradient()
    {
        var tape = new GradientTape(reference);
        var (used, unused) = (Variable(tape, 2), Variable(tape, 3));
        var gradients = tape.Backward(used * used);
        Assert.Equal(4, gradients[used]!.ToScalar());
        Assert.Null(gradients[unused]);
        Assert.Null(gradients.Of(new Parameter("absent", ParameterKind.Weight, reference.FromValues([1], Shape.Scalar))));
    }

    [Fact]
    public void Gradients_at_kinks_are_as_the_interface_says()
    {
        var tape = new GradientTape(reference);
        var x = tape.Variable(reference.FromValues([-1, 0, 1, 2], new Shape(4)));
        Assert.Equal([0, 1, 1, 0], tape.Backward(x.Clip(0, 1).Sum())[x]!.ToArray());
        Assert.Equal([0, 0, 1, 1], tape.Backward(x.Relu().Sum())[x]!.ToArray());
        Assert.Equal([0.5f, 0.5f, 1, 1], tape.Backward(x.LeakyRelu(0.5f).Sum())[x]!.ToArray());
        Assert.Null(tape.Backward(x.Round().Sum())[x]);
    }

    [Fact]
    public void Sigmoid_and_softplus_gradients_stay_finite_for_large_inputs()
    {
        var tape = new GradientTape(reference);
        var x = tape.Variable(reference.FromValues([-1e4f, 1e4f], new Shape(2)));
        Assert.Equal([0, 0], tape.Backward(x.Sigmoid().Sum())[x]!.ToArray());
        Assert.Equal([0, 1], tape.Backward(x.Softplus().Sum())[x]!.ToArray());
    }

    [Fact]
    public void Only_a_scalar_has_gradients()
    {
        var tape = new GradientTape(reference);
        var x = tape.Variable(reference.FromValues([1, 2], new Shape(2)));
        Assert.Contains("[2]", Assert.Throws<ShapeException>(() => tape.Backward(x)).Message);
    }

    [Fact]
    public void Tensors_of_two_back_ends_do_not_mix()
    {
        var tape = new GradientTape(reference);
        var own = Variable(tape, 1);
        Assert.Throws<ArgumentException>(() => own + reference.FromValues([1], Shape.Scalar));
        Assert.Throws<ArgumentException>(() => own + Variable(new GradientTape(reference), 1));
        Assert.Throws<ArgumentException>(() => reference.Add(reference.FromValues([1], Shape.Scalar), own));
    }

    Tensor Variable(GradientTape tape, float value) => tape.Variable(reference.FromValues([value], Shape.Scalar));
}
