using VaeFunctions.Features;
using VaeFunctions.Models;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;

namespace VaeFunctions.Training;

/// <summary>What learns: a model, its optimizer, and copies of its parameters, the moving average and the best so far, where the
/// recipe asks for them.</summary>
public sealed class Learner
{
    readonly float decay;
    readonly ParameterCopy? average, best;

    public Learner(Recipe recipe, Vae model)
    {
        Model = model;
        Optimizer = recipe.Optimizer.Build(model.Parameters);
        Distance = recipe.Objective.DistanceOn(model.Parameters.Backend);
        Adversary = recipe.Adversary is { } adversary ? new(adversary, model.Parameters.Backend, recipe.Seed) : null;
        decay = recipe.Averaging ?? 0;
        if (recipe.Averaging is not null) average = new(model.Parameters, "average/");
        if (recipe.Patience is not null) best = new(model.Parameters, "best/");
    }

    public Vae Model { get; }

    public Optimizer Optimizer { get; }

    /// <summary>Measures how unlike images and reconstructions look, where the recipe asks for it. Nothing of it
    /// learns.</summary>
    public PerceptualDistance? Distance { get; }

    /// <summary>Whom the decoder learns to deceive in the end, where the recipe asks for it.</summary>
    public Adversary? Adversary { get; }

    /// <summary>All tensors of a checkpoint: the model's under their own names, the others under a prefix.</summary>
    public IEnumerable<Parameter> State =>
    [
        .. Model.Parameters,
        .. Optimizer.State.Select(slot => slot with { Name = "optimizer/" + slot.Name }),
        .. Adversary?.State.Select(tensor => tensor with { Name = "adversary/" + tensor.Name }) ?? [],
        .. average?.Copies ?? [],
        .. best?.Copies ?? [],
    ];

    /// <summary>Draws the average towards the weights after a step: average ← decay · average + (1 − decay) · weight, with a
    /// decay that begins small, so that the first steps are soon forgotten. (Polyak and Juditsky 1992)</summary>
    public void Average() => average?.Follow(Math.Min(decay, (1f + Optimizer.Steps) / (10f + Optimizer.Steps)));

    /// <summary>Exchanges the weights with their average, if there is one; the same again brings them back.</summary>
    public IDisposable UseAverage()
    {
        average?.Exchange();
        return new Return(average);
    }

    /// <summary>Remembers the parameters, the average's in place of the weights where there is one, as the best so far.</summary>
    public void KeepBest()
    {
        using var published = UseAverage();
        best?.Take();
    }

    /// <summary>Puts the best parameters, or else the average, in the place of the last ones: what is published.</summary>
    public void Finish()
    {
        if (best is not null) best.Exchange();
        else average?.Exchange();
    }

    sealed class Return(ParameterCopy? copy) : IDisposable
    {
        public void Dispose() => copy?.Exchange();
    }
}

/// <summary>A second set of values for a model's parameters.</summary>
sealed class ParameterCopy
{
    readonly ParameterSet parameters;

    public ParameterCopy(ParameterSet parameters, string prefix)
    {
        this.parameters = parameters;
        Copies = [.. parameters.Select(parameter => new Parameter(prefix + parameter.Name, parameter.Kind,
            parameters.Backend.FromValues(parameter.Value.ToArray(), parameter.Shape)))];
    }

    public IReadOnlyList<Parameter> Copies { get; }

    public void Take() => ForEach((copy, original, backend) => backend.Assign(copy.Value, original.Value));

    /// <summary>copy ← decay · copy + (1 − decay) · original; whole numbers are taken as they are.</summary>
    public void Follow(float decay) => ForEach((copy, original, backend) =>
        backend.Assign(copy.Value, copy.Kind == ParameterKind.Counter
            ? original.Value
            : copy.Value * decay + original.Value * (1 - decay)));

    public void Exchange() => ForEach((copy, original, backend) =>
    {
        var values = copy.Value * 1;
        backend.Assign(copy.Value, original.Value);
        backend.Assign(original.Value, values);
    });

    void ForEach(Action<Parameter, Parameter, ITrainingBackend> action)
    {
        using var scope = parameters.Backend.BeginScope();
        foreach (var (copy, original) in Copies.Zip(parameters)) action(copy, original, parameters.Backend);
    }
}
