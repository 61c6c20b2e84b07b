using VaeFunctions.Features;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Training;

/// <summary>The last part of a training, in which only the decoder learns on, and also to deceive a discriminator, which sees
/// images and samples. Reconstructions are never shown to it: they are compared with their images.</summary>
public sealed record AdversaryRecipe
{
    /// <summary>The part of the epochs that comes before, above 0 and below 1.</summary>
    public float From { get; init; } = 0.5f;

    /// <summary>The weight of deceiving, above 0.</summary>
    public float Weight { get; init; } = 0.1f;

    /// <summary>The decoder's step size and the discriminator's, above 0.</summary>
    public float LearningRate { get; init; } = 4e-4f;

    /// <summary>The epoch that it begins with, from 0: a whole one, with one before it at least, and the last at the latest.
    /// Where there is but one, it never begins.</summary>
    public int FirstEpoch(int epochs) =>
        Math.Clamp((int)Math.Round(From * epochs, MidpointRounding.AwayFromZero), 1, Math.Max(1, epochs - 1));

    /// <exception cref="RecipeException">A number is out of range, or the recipe has no place for an adversary.</exception>
    public void Check(string name, Recipe recipe)
    {
        if (From is not (> 0 and < 1))
            throw new RecipeException($"Recipe {name}: adversary.from is {From}; it must be above 0 and below 1.");
        if (!(Weight > 0 && float.IsFinite(Weight)))
            throw new RecipeException($"Recipe {name}: adversary.weight is {Weight}; it must be above 0; or leave adversary "
                + "out.");
        if (!(LearningRate > 0 && float.IsFinite(LearningRate)))
            throw new RecipeException($"Recipe {name}: adversary.learningRate is {LearningRate}; it must be above 0.");
        if (recipe.Model is not (SpatialVaeOptions or ConvVaeOptions) or VaeGanOptions)
            throw new RecipeException($"Recipe {name}: adversary is for spatial-vae and conv-vae, and the model is "
                + $"{recipe.Model.Kind}; leave it out.");
        if (recipe.Objective.Perceptual <= 0)
            throw new RecipeException($"Recipe {name}: adversary judges by the pretrained network, which objective.perceptual at "
                + "0 leaves out; set that above 0.");
        if (recipe.Patience is not null)
            throw new RecipeException($"Recipe {name}: patience looks at the test loss, which an adversary raises for the sake "
                + "of what is seen; leave one of them out.");
    }
}

/// <summary>A discriminator with its optimizer, and the terms of the steps in which a decoder learns to deceive it.</summary>
public sealed class Adversary
{
    readonly AdversaryRecipe recipe;
    readonly ResNet18 network;
    readonly Discriminator discriminator;
    readonly Optimizer optimizer;

    public Adversary(AdversaryRecipe recipe, ITrainingBackend backend, ulong seed)
    {
        this.recipe = recipe;
        network = ResNet18.On(backend);
        discriminator = new(backend, seed);
        // No momentum, since the decoder moves what there is to tell apart. (Miyato et al. 2018, §4)
        optimizer = new AdamRecipe { LearningRate = recipe.LearningRate, Beta1 = 0, Beta2 = 0.99f }
            .Build(discriminator.Parameters);
    }

    /// <summary>What a checkpoint keeps of it.</summary>
    public IEnumerable<Parameter> State =>
    [
        .. discriminator.Parameters,
        .. optimizer.State.Select(slot => slot with { Name = "optimizer/" + slot.Name }),
    ];

    public int Steps
    {
        get => optimizer.Steps;
        set => optimizer.Steps = value;
    }

    /// <summary>The terms of a step in which the encoder rests and both sides learn, each from its part of one penalty.</summary>
    /// <param name="tape">Of the step.</param>
    /// <param name="drawn">Latents from the prior, as many as there are images: [N, L], of the back end below.</param>
    public NegativeElbo Terms(Batch batch, Vae model, IGradientTape tape, Tensor drawn)
    {
        var (below, pixels, count) = (model.Parameters.Backend, batch.PixelsOn(tape), batch.Count);
        var (images, condition) = (model.Likelihood.FromPixels(pixels), model.Condition(batch.LabelsOn(tape)));
        // Off the tape, as when the prior was fitted: not even the running statistics of a batch normalization move.
        var resting = model.EncodePixels(batch.PixelsOn(below), batch.LabelsOn(below));
        var posterior = new Gaussian(tape.Constant(resting.Mean), tape.Constant(resting.LogVariance));
        var noise = tape.FromValues(batch.Noise, batch.NoiseShape);
        var made = model.Decode(tape.Concat(0, posterior.Sample(noise), tape.Constant(drawn)),
            condition is null ? null : tape.Concat(0, condition, condition));
        var decoded = made.Slice(0, 0, count);

        var features = network.Features(model.Likelihood.Shades(made));
        var real = network.Features(pixels.Transpose(0, 3, 1, 2));
        Tensor[] reconstructed = [.. features.Select(stage => stage.Slice(0, 0, count))];
        Tensor[] samples = [.. features.Select(stage => stage.Slice(0, count, count))];
        return new(model.Likelihood.Reconstruction(decoded, images), posterior.KlToStandardNormal(), posterior.LogRatio(noise))
        {
            Decoded = decoded,
            Perceptual = PerceptualDistance.Of(reconstructed, real),
            Penalty = discriminator.Deceit(samples).Sum() * recipe.Weight + discriminator.Loss(real, samples) * count,
        };
    }

    /// <summary>Whether the discriminator's gradients are numbers.</summary>
    public bool IsFinite(Gradients gradients) => double.IsFinite(optimizer.Norm(gradients));

    /// <summary>The discriminator's step.</summary>
    public void Step(Gradients gradients) => optimizer.Step(gradients);
}
