using System.Text.Json.Serialization;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Training;

/// <summary>Which optimizer, and its hyperparameters.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(AdamRecipe), "adam")]
[JsonDerivedType(typeof(RmsPropRecipe), "rmsprop")]
public abstract record OptimizerRecipe
{
    /// <summary>The step size, above 0.</summary>
    public float LearningRate { get; init; } = 1e-3f;

    public RateSchedule Schedule { get; init; } = new ConstantRate();

    public abstract Optimizer Build(ParameterSet parameters);

    /// <exception cref="RecipeException">A number is out of range.</exception>
    public virtual void Check(string name)
    {
        if (!(LearningRate > 0 && float.IsFinite(LearningRate)))
            throw new RecipeException($"Recipe {name}: optimizer.learningRate is {LearningRate}; it must be above 0.");
        Schedule.Check(name);
    }
}

/// <summary>Adam (Kingma and Ba 2015), with a decay AdamW (Loshchilov and Hutter 2019).</summary>
public sealed record AdamRecipe : OptimizerRecipe
{
    public float Beta1 { get; init; } = 0.9f;

    public float Beta2 { get; init; } = 0.999f;

    public float Epsilon { get; init; } = 1e-8f;

    /// <summary>The part of the learning rate by which all weights shrink at each step, apart from their gradients; 0 or more,
    /// and below 1 / learning rate.</summary>
    public float Decay { get; init; }

    public override Optimizer Build(ParameterSet parameters) =>
        new AdamOptimizer(parameters, new(LearningRate, Beta1, Beta2, Epsilon), Decay);

    public override void Check(string name)
    {
        base.Check(name);
        if (!(Decay >= 0 && Decay * LearningRate < 1))
            throw new RecipeException($"Recipe {name}: optimizer.decay is {Decay}; it must be 0 or more, and below 1 / learning "
                + "rate.");
    }
}

/// <summary>RMSprop. (Hinton 2012, lecture 6e)</summary>
public sealed record RmsPropRecipe : OptimizerRecipe
{
    public float Decay { get; init; } = 0.9f;

    public float Epsilon { get; init; } = 1e-7f;

    public override Optimizer Build(ParameterSet parameters) =>
        new RmsPropOptimizer(parameters, new(LearningRate, Decay, Epsilon));
}

/// <summary>Moves the weights against their gradients. Its state is named tensors, so that a checkpoint holds it like any
/// other.</summary>
public abstract class Optimizer
{
    readonly ParameterSet parameters;
    readonly Dictionary<string, Tensor[]> slots = [];
    readonly string[] slotNames;

    private protected Optimizer(ParameterSet parameters, params string[] slotNames)
    {
        this.parameters = parameters;
        this.slotNames = slotNames;
        foreach (var weight in Weights)
            slots[weight.Name] =
                [.. slotNames.Select(_ => parameters.Backend.FromValues(new float[weight.Shape.Count], weight.Shape))];
    }

    /// <summary>Steps taken so far.</summary>
    public int Steps { get; set; }

    /// <summary>The state by name, such as <c>encoder.0.weight/mean</c>.</summary>
    public IEnumerable<Parameter> State => Weights.SelectMany(weight => slotNames.Select((slot, index) =>
        new Parameter($"{weight.Name}/{slot}", ParameterKind.Statistic, slots[weight.Name][index])));

    IEnumerable<Parameter> Weights => parameters.Where(parameter => parameter.Kind == ParameterKind.Weight);

    /// <summary>The Euclidean length of all gradients together, which is not finite where one of them is not.</summary>
    public double Norm(Gradients gradients) =>
        Math.Sqrt(parameters.Backend.SumOfSquares([.. Weights.Select(gradients.Of).OfType<Tensor>()]));

    /// <param name="rate">A factor of the learning rate.</param>
    /// <param name="scale">A factor of the gradients.</param>
    public void Step(Gradients gradients, float rate = 1, float scale = 1)
    {
        Steps++;
        foreach (var weight in Weights)
        {
            if (gradients.Of(weight) is { } gradient)
                Step(parameters.Backend, weight.Value, scale == 1 ? gradient : gradient * scale, slots[weight.Name], rate);
        }
    }

    private protected abstract void Step(ITrainingBackend backend, Tensor weight, Tensor gradient, Tensor[] slots, float rate);
}

sealed class AdamOptimizer(ParameterSet parameters, AdamOptions options, float decay) : Optimizer(parameters, "mean", "square")
{
    private protected override void Step(ITrainingBackend backend, Tensor weight, Tensor gradient, Tensor[] slots, float rate)
    {
        if (decay > 0) backend.Assign(weight, weight * (1 - options.LearningRate * rate * decay));
        backend.AdamStep(weight, gradient, slots[0], slots[1], options with { LearningRate = options.LearningRate * rate },
            Steps);
    }
}

sealed class RmsPropOptimizer(ParameterSet parameters, RmsPropOptions options) : Optimizer(parameters, "square")
{
    private protected override void Step(ITrainingBackend backend, Tensor weight, Tensor gradient, Tensor[] slots, float rate) =>
        backend.RmsPropStep(weight, gradient, slots[0], options with { LearningRate = options.LearningRate * rate });
}
