using System.Text.Json.Serialization;
using VaeFunctions.Models.Layers;
using VaeFunctions.Tensors;
using static VaeFunctions.Models.Layers.Build;

namespace VaeFunctions.Models;

/// <summary>A level of a hierarchy: the units of its dense layers, and its latents.</summary>
public sealed record Level(int Hidden, int Latent);

/// <summary>The options of <see cref="LadderVae"/>.</summary>
public sealed record LadderVaeOptions : ModelOptions
{
    /// <summary>From the one next to the image up to the top.</summary>
    public required IReadOnlyList<Level> Levels { get; init; }

    [JsonIgnore]
    public override string Kind => "ladder-vae";

    [JsonIgnore]
    public override int LatentSize => Levels.Sum(level => level.Latent);

    private protected override Vae Build(ParameterSet parameters)
    {
        Check([.. Levels.Select(level => level.Hidden)], 10, 65536, "levels.hidden");
        Check([.. Levels.Select(level => level.Latent)], 10, 65536, "levels.latent");
        return new LadderVae(parameters, this);
    }
}

/// <summary>A hierarchy of latents: p(x | z) p(z₁ | z₂) … p(z_top). On the way down, each level's posterior is the generative p
/// joined with what the encoder saw on the way up, each weighted by its precision. (Sønderby et al. 2016, "Ladder variational
/// autoencoders")</summary>
/// <remarks>Its latent vector is [top, …, bottom], the lower levels as the noise that p turns into latents: z = μₚ + σₚ · latent.
/// In it the whole prior is N(0, I), and the KL to that is, level by level, the KL(q ‖ p) of the paper. The way down keeps a
/// state besides the latents, so that the image sees all of them. The layers are dense, with batch normalisation (§3.3) and leaky
/// ReLU.</remarks>
public sealed class LadderVae : Vae
{
    readonly int[] latents;
    readonly Sequential[] up, down;
    readonly Linear[] posteriorMean, posteriorLogVariance, priorMean, priorLogVariance;
    readonly Linear output;

    public LadderVae(ParameterSet parameters, LadderVaeOptions options)
        : base(parameters, options)
    {
        int[] hidden = [.. options.Levels.Select(level => level.Hidden)];
        latents = [.. options.Levels.Select(level => level.Latent)];
        int[] below = [Image.Size + Classes, .. hidden], above = [.. hidden[1..], Classes];

        var scope = parameters.Root;
        up = Levels(latents.Length, i => new Sequential(
            scope / "up" / i, [.. Dense(below[i], hidden[i]), .. Dense(hidden[i], hidden[i])]));
        posteriorMean = Levels(latents.Length, i => new Linear(scope / "posterior" / i / "mean", hidden[i], latents[i]));
        posteriorLogVariance =
            Levels(latents.Length, i => new Linear(scope / "posterior" / i / "log_variance", hidden[i], latents[i]));
        priorMean = Levels(Top, i => new Linear(scope / "prior" / i / "mean", above[i], latents[i]));
        priorLogVariance = Levels(Top, i => new Linear(scope / "prior" / i / "log_variance", above[i], latents[i]));
        down = Levels(latents.Length, i =>
            new Sequential(scope / "down" / i, [.. Dense(latents[i] + above[i], hidden[i]), .. Dense(hidden[i], hidden[i])]));
        output = new(scope / "output", hidden[0], Image.Size);

        static T[] Levels<T>(int count, Func<int, T> level) => [.. Enumerable.Range(0, count).Select(level)];

        static Layer[] Dense(int from, int to) => [Linear(from, to), BatchNormOfUnits(to), LeakyRelu(0.1f)];
    }

    int Top => latents.Length - 1;

    public override Gaussian Encode(Tensor images, Tensor? condition = null) => Ladder(images, condition, noise: null);

    internal override Gaussian Posterior(Tensor images, Tensor? condition, Tensor noise) => Ladder(images, condition, noise);

    /// <summary>The posteriors of all levels, those of the lower ones given the latents above, which are drawn with the noise or,
    /// without it, are the means.</summary>
    Gaussian Ladder(Tensor images, Tensor? condition, Tensor? noise)
    {
        var draws = noise is null ? 1 : noise.Shape[0] / images.Shape[0];
        var seen = new Gaussian[latents.Length];
        var h = images.Flatten().Join(condition);
        for (var i = 0; i <= Top; i++)
        {
            h = up[i].Forward(h);
            seen[i] = new Gaussian(posteriorMean[i].Forward(h), posteriorLogVariance[i].Forward(h)).Repeat(draws);
        }

        var posteriors = new Gaussian[latents.Length]; // from the top, as the latent vector
        Descend(draws > 1 ? condition?.Repeat(draws) : condition, (i, prior) =>
        {
            var posterior = posteriors[Top - i] = prior is null ? seen[i] : Joined(seen[i], prior);
            return noise is null ? posterior.Mean : posterior.Sample(Part(noise, i));
        });
        var backend = images.Backend;
        return new(backend.Concat(1, [.. posteriors.Select(q => q.Mean)]),
            backend.Concat(1, [.. posteriors.Select(q => q.LogVariance)]));
    }

    public override Tensor Decode(Tensor latent, Tensor? condition = null) =>
        output.Forward(Descend(condition, (i, _) => Part(latent, i))).Reshape(0, Image.Channels, Image.Height, Image.Width);

    /// <summary>The product of both Gaussians as a distribution of (z − μₚ) / σₚ. With the gain g = σₚ² / (σₚ² + σ²) =
    /// sigmoid(log σₚ² − log σ²), its mean is g · (μ − μₚ) / σₚ and its variance 1 − g.</summary>
    static Gaussian Joined(Gaussian seen, Gaussian prior)
    {
        var difference = prior.LogVariance - seen.LogVariance;
        return new(difference.Sigmoid() * (seen.Mean - prior.Mean) * (prior.LogVariance * -0.5f).Exp(), -difference.Softplus());
    }

    /// <summary>Goes from the top down to the state from which the image is drawn.</summary>
    /// <param name="choose">A level's part of the latent vector, given its prior; null stands for N(0, I).</param>
    Tensor Descend(Tensor? condition, Func<int, Gaussian?, Tensor> choose)
    {
        var state = down[Top].Forward(choose(Top, null).Join(condition));
        for (var i = Top - 1; i >= 0; i--)
        {
            var prior = new Gaussian(priorMean[i].Forward(state), priorLogVariance[i].Forward(state));
            state = down[i].Forward(prior.Sample(choose(i, prior)).Join(state));
        }
        return state;
    }

    Tensor Part(Tensor latent, int level) => latent.Slice(1, latents.Skip(level + 1).Sum(), latents[level]);
}
