using System.Text.Json.Serialization;
using VaeFunctions.Features;
using VaeFunctions.Imaging;
using VaeFunctions.Models;
using VaeFunctions.Tensors;

namespace VaeFunctions.Training;

/// <summary>What is minimised: reconstruction + KL weight · KL (+ perceptual weight · distance), per image, or the
/// importance-weighted bound of several draws.</summary>
public sealed record Objective
{
    /// <summary>The weight of the KL term as training goes on; 1 for the evidence lower bound. (Higgins et al. 2017)</summary>
    public KlSchedule Kl { get; init; } = new ConstantKl();

    /// <summary>Nats that each latent may carry, on the average over a batch, before the KL term counts. (Kingma et al. 2016,
    /// appendix C.8)</summary>
    public float FreeBits { get; init; }

    /// <summary>Whether the reconstruction term is its mean over an image's values instead of the sum.</summary>
    public bool PerPixel { get; init; }

    /// <summary>The weight of the distance between images and reconstructions in the features of a pretrained network, 0 or
    /// more; at 0 the network is not even read.</summary>
    public float Perceptual { get; init; }

    /// <summary>Latents drawn for each image; above 1 they bound the likelihood together. (Burda, Grosse and Salakhutdinov
    /// 2016)</summary>
    public int Samples { get; init; } = 1;

    /// <summary>The scalar whose gradient a step follows, the mean over images.</summary>
    public Tensor Loss(NegativeElbo terms, int images, ImageShape shape, float klWeight)
    {
        var reconstruction = terms.Reconstruction * ReconstructionWeight(shape);
        if (terms.LogRatio.Shape[0] != images * Samples)
            throw new RecipeException($"objective.samples is {Samples}, but this model draws nothing of which there could be "
                + "several; leave it out.");
        var loss = Samples > 1
            ? ImportanceWeighted(reconstruction + terms.LogRatio * klWeight)
            : reconstruction.Sum() / images + Divergence(terms.Kl, images) * klWeight;
        if (terms.Perceptual is { } distance) loss += distance.Sum() * (Perceptual / images);
        return terms.Penalty is { } penalty ? loss + penalty / images : loss;
    }

    /// <summary>What measures the perceptual distance on a back end; null where that has no weight.</summary>
    /// <exception cref="FeatureException">The pretrained network cannot be read.</exception>
    public PerceptualDistance? DistanceOn(ITrainingBackend backend) =>
        Perceptual > 0 ? new(ResNet18.On(backend)) : null;

    /// <summary>What runs are compared by, summed over a batch: both terms with their final weights, and, of several draws, the
    /// bound that these make together.</summary>
    /// <param name="terms">Of S draws an image; where <see cref="Samples"/> is above 1, of as many.</param>
    public Measure MeasureOf(NegativeElbo terms, int images, ImageShape shape)
    {
        var weight = ReconstructionWeight(shape);
        return new(Mean(terms.Reconstruction) * images, Mean(terms.Kl) * images, images)
        {
            ReconstructionWeight = weight,
            KlWeight = Kl.Weight,
            Perceptual = terms.Perceptual is { } distance ? Mean(distance) * images : null,
            PerceptualWeight = Perceptual,
            Bound = Samples > 1
            ? (double)ImportanceWeighted(terms.Reconstruction * weight + terms.LogRatio * Kl.Weight).ToScalar() * images
            : null,
        };

        static double Mean(Tensor term) => (double)term.Sum().ToScalar() / term.Shape[0];
    }

    /// <exception cref="RecipeException">A number is out of range.</exception>
    public void Check(string name)
    {
        if (!(Kl.Weight >= 0 && float.IsFinite(Kl.Weight)))
            throw new RecipeException($"Recipe {name}: objective.kl.weight is {Kl.Weight}; it must be 0 or more.");
        if (!(FreeBits >= 0 && float.IsFinite(FreeBits)))
            throw new RecipeException($"Recipe {name}: objective.freeBits is {FreeBits}; it must be 0 or more.");
        if (!(Perceptual >= 0 && float.IsFinite(Perceptual)))
            throw new RecipeException($"Recipe {name}: objective.perceptual is {Perceptual}; it must be 0 or more.");
        if (Samples > 1 && Perceptual > 0)
            throw new RecipeException($"Recipe {name}: objective.perceptual is no part of the bound of {Samples} samples; leave "
                + "one of them out.");
        if (Samples is < 1 or > 1024)
            throw new RecipeException($"Recipe {name}: objective.samples is {Samples}; it must be from 1 to 1024.");
        if (Samples > 1 && FreeBits > 0)
            throw new RecipeException($"Recipe {name}: objective.freeBits has no meaning with {Samples} samples; leave one of "
                + "them out.");
        Kl.Check(name);
    }

    float ReconstructionWeight(ImageShape shape) => PerPixel ? 1f / shape.Size : 1;

    /// <summary>Σ over latents of max(free bits, mean over images): [N, L] → scalar.</summary>
    Tensor Divergence(Tensor kl, int images) =>
        FreeBits > 0 ? ((kl.Sum(0) / images - FreeBits).Relu() + FreeBits).Sum() : kl.Sum() / images;

    /// <summary>−mean over images of log 1/S Σ w, with −log w given: [N · S] → scalar.</summary>
    Tensor ImportanceWeighted(Tensor negativeLogWeight)
    {
        var bound = (-negativeLogWeight).Reshape(-1, Samples).LogSumExp() - MathF.Log(Samples);
        return -bound.Mean();
    }
}

/// <summary>The KL term's weight as a function of the epochs done, fractions included.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(ConstantKl), "constant")]
[JsonDerivedType(typeof(LinearKl), "linear")]
[JsonDerivedType(typeof(CyclicalKl), "cyclical")]
public abstract record KlSchedule
{
    /// <summary>The weight that is reached, 0 or more.</summary>
    public float Weight { get; init; } = 1;

    public abstract float At(double epochs);

    /// <summary>The same schedule over <paramref name="factor"/> times as many epochs.</summary>
    public abstract KlSchedule Scaled(double factor);

    /// <exception cref="RecipeException">A number is out of range.</exception>
    public virtual void Check(string name)
    {
    }

    private protected static void CheckEpochs(double epochs, string name)
    {
        if (!(epochs > 0 && double.IsFinite(epochs)))
            throw new RecipeException($"Recipe {name}: objective.kl.epochs is {epochs}; it must be above 0.");
    }
}

/// <summary>The same weight throughout.</summary>
public sealed record ConstantKl : KlSchedule
{
    public override float At(double epochs) => Weight;

    public override KlSchedule Scaled(double factor) => this;
}

/// <summary>In a straight line to the weight, then constant. From 0, the decoder learns to use latents before they cost (Bowman
/// et al. 2016, §3.1); from above, a conditional model learns to take from its label what the label can tell.</summary>
public sealed record LinearKl : KlSchedule
{
    /// <summary>The weight at the start, 0 or more.</summary>
    public float From { get; init; }

    /// <summary>When the weight is reached, above 0.</summary>
    public double Epochs { get; init; } = 10;

    public override float At(double epochs) => float.Lerp(From, Weight, (float)Math.Min(1, epochs / Epochs));

    public override KlSchedule Scaled(double factor) => this with { Epochs = Epochs * factor };

    public override void Check(string name)
    {
        CheckEpochs(Epochs, name);
        if (!(From >= 0 && float.IsFinite(From)))
            throw new RecipeException($"Recipe {name}: objective.kl.from is {From}; it must be 0 or more.");
    }
}

/// <summary>From 0 to the weight and constant for the rest of a cycle, again and again. (Fu et al. 2019, equation 6)</summary>
public sealed record CyclicalKl : KlSchedule
{
    /// <summary>The length of a cycle, above 0.</summary>
    public double Epochs { get; init; } = 10;

    /// <summary>The part of a cycle in which the weight rises, above 0 and at most 1.</summary>
    public double Rise { get; init; } = 0.5;

    public override float At(double epochs) => Weight * (float)Math.Min(1, epochs % Epochs / (Epochs * Rise));

    public override KlSchedule Scaled(double factor) => this with { Epochs = Epochs * factor };

    public override void Check(string name)
    {
        CheckEpochs(Epochs, name);
        if (!(Rise is > 0 and <= 1))
            throw new RecipeException($"Recipe {name}: objective.kl.rise is {Rise}; it must be above 0 and at most 1.");
    }
}
