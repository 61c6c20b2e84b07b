using System.Text.Json.Serialization;

namespace VaeFunctions.Training;

/// <summary>The learning rate as training goes on, as a factor of the optimizer's.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(ConstantRate), "constant")]
[JsonDerivedType(typeof(CosineRate), "cosine")]
[JsonDerivedType(typeof(StepRate), "step")]
public abstract record RateSchedule
{
    /// <summary>Epochs in which the rate rises from 0 in a straight line, 0 or more, fractions included. (Goyal et al. 2017,
    /// §2.2)</summary>
    public double WarmUp { get; init; }

    /// <param name="epochs">Epochs done, fractions included.</param>
    /// <param name="total">Epochs of the whole training.</param>
    public float At(double epochs, int total) => (float)(Math.Min(1, WarmUp > 0 ? epochs / WarmUp : 1) * After(epochs, total));

    /// <exception cref="RecipeException">A number is out of range.</exception>
    public virtual void Check(string name)
    {
        if (!(WarmUp >= 0 && double.IsFinite(WarmUp)))
            throw new RecipeException($"Recipe {name}: optimizer.schedule.warmUp is {WarmUp}; it must be 0 or more.");
    }

    private protected abstract double After(double epochs, int total);

    private protected static void CheckFactor(double factor, string key, string name)
    {
        if (!(factor is >= 0 and <= 1))
            throw new RecipeException($"Recipe {name}: optimizer.schedule.{key} is {factor}; it must be from 0 to 1.");
    }
}

/// <summary>The same rate throughout.</summary>
public sealed record ConstantRate : RateSchedule
{
    private protected override double After(double epochs, int total) => 1;
}

/// <summary>Half a cosine from the rate down to a part of it at the last epoch. (Loshchilov and Hutter 2017)</summary>
public sealed record CosineRate : RateSchedule
{
    /// <summary>What is left at the end, from 0 to 1.</summary>
    public double Final { get; init; }

    public override void Check(string name)
    {
        base.Check(name);
        CheckFactor(Final, "final", name);
    }

    private protected override double After(double epochs, int total) =>
        Final + (1 - Final) * (1 + Math.Cos(Math.PI * Math.Min(1, epochs / total))) / 2;
}

/// <summary>A factor after every so many epochs.</summary>
public sealed record StepRate : RateSchedule
{
    public int Every { get; init; } = 10;

    /// <summary>From 0 to 1.</summary>
    public double Factor { get; init; } = 0.5;

    public override void Check(string name)
    {
        base.Check(name);
        CheckFactor(Factor, "factor", name);
        if (Every < 1) throw new RecipeException($"Recipe {name}: optimizer.schedule.every is {Every}; it must be at least 1.");
    }

    private protected override double After(double epochs, int total) => Math.Pow(Factor, Math.Floor(epochs / Every));
}
