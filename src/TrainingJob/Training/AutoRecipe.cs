using System.Globalization;
using VaeFunctions.Data;
using VaeFunctions.Imaging;
using VaeFunctions.Models;

namespace VaeFunctions.Training;

/// <summary>A recipe that was made for some images, and why it is as it is.</summary>
/// <param name="Choices">A line for each choice.</param>
public sealed record AutoRecipe(Recipe Recipe, IReadOnlyList<string> Choices)
{
    /// <summary>What stands for it in place of a recipe's name.</summary>
    public const string Name = "auto";

    /// <summary>Fewer steps teach no model of pictures much.</summary>
    public const int FewestSteps = 2000;

    /// <summary>Steps after which photographs come out well, in a quarter of an hour or so on two cores.</summary>
    const int StepsForPhotographs = 3000, StepsWithAdversary = 4500;

    /// <summary>Larger images take too long without a GPU, and smaller ones are no photographs.</summary>
    const int LargestSide = 64, SmallestSide = 16;

    /// <summary>So many images are few.</summary>
    const int Few = 1000;

    /// <summary>The part of the values that are black or white in drawings and writing.</summary>
    const double OfDrawings = 0.8;

    const int FewestEpochs = 2, LargestBatch = 64, StepsOfAnEpoch = 20;

    /// <summary>A label of fewer images gives no concept.</summary>
    const int FewestOfALabel = 5;

    /// <summary>Channels of the stages of a network for drawings, outermost first.</summary>
    static readonly int[] Stages = [32, 64, 128];

    /// <summary>Makes a recipe for images.</summary>
    /// <param name="source">Where they are, which the recipe keeps.</param>
    /// <param name="length">What decides the length instead of the recipe, such as <c>--minutes</c>; null where nothing
    /// does.</param>
    public static AutoRecipe For(ImageSurvey survey, string source, string? length = null)
    {
        ArgumentNullException.ThrowIfNull(survey);
        List<string> choices = [];
        var isDrawing = !survey.Coloured && survey.Extremes > OfDrawings;
        var isPhotograph = !isDrawing && Math.Max(survey.Width, survey.Height) >= SmallestSide;
        var (image, why) = Size(survey, isPhotograph ? 8 : 4);
        choices.Add($"images {image.Width}×{image.Height}, {(image.Channels == 3 ? "in colour" : "grey")}: {why}"
            + (image.Channels == 3 ? "" : "; fewer than one in 50 have colours, whatever channels they have"));
        var recipe = isPhotograph ? OfPhotographs(survey, image, choices) : OfOthers(survey, image, isDrawing, choices);

        var steps = recipe.StepsOf(survey.Train);
        choices.Add($"batches of {recipe.BatchSize}: " + (isPhotograph && survey.Train >= Few
            ? "small ones, for many steps in little time"
            : $"so that an epoch of {Plural.Of(survey.Train, "image")} has {Plural.Of(steps, "step")}"));
        var wanted = recipe.Adversary is not null ? StepsWithAdversary
            : isPhotograph && survey.Train >= Few ? StepsForPhotographs : FewestSteps;
        var epochs = Math.Max(FewestEpochs, (wanted + steps - 1) / steps);
        var need = wanted > FewestSteps ? "what such pictures need" : "the least that pictures need";
        choices.Add(length is not null
            ? $"an epoch has {Plural.Of(steps, "step")}; {length} decides how many epochs there are; {wanted:N0} steps in "
                + $"all are {need}"
            : $"{Plural.Of(epochs, "epoch")} of {Plural.Of(steps, "step")}: " + ((long)steps * epochs < 2L * wanted
                ? $"{wanted:N0} steps in all are {need}; --minutes sets a time instead"
                : $"each image is seen {Plural.Of(epochs, "time")}; --minutes sets a time instead"));
        if (recipe.Adversary is { } adversary)
            choices.Add(string.Create(
                CultureInfo.InvariantCulture, $"an adversary for the decoder after {adversary.From:P0} of the epochs: ")
                + "crisper pictures, and samples that look like more than blobs; without \"adversary\" in the recipe "
                + "reconstructions stay nearer to the images");
        if (survey.Labels is [var fewest, ..])
        {
            var poor = survey.Labels.Count(count => count < FewestOfALabel);
            choices.Add($"{Plural.Of(survey.Labels.Count, "label")}: they become concepts to edit by" + (poor > 0
                ? $", but the {poor:N0} with fewer than {FewestOfALabel} images to train on (the least is {fewest}); "
                    + "add images to them"
                : "; \"classes\" in the recipe's model would condition it on them"));
        }
        if (survey.Train < Few)
            choices.Add($"{survey.Images:N0} images are few: reconstructions will be better than samples; "
                + "a thousand or more teach what is common to them");

        return new(recipe with
        {
            Description = $"Made for {Plural.Of(survey.Images, "image")} of {source}, {survey.Width}×{survey.Height} in the "
                + "middle.",
            Data = source,
            Epochs = epochs,
            Optimizer = recipe.Optimizer with { Schedule = new CosineRate { Final = 0.03, WarmUp = 100.0 / steps } },
            Objective = recipe.Objective.Kl is LinearKl rising
                ? recipe.Objective with { Kl = rising with { Epochs = epochs / 10.0 } }
                : recipe.Objective,
            PicturesEvery = Math.Max(1, epochs / 10),
        }, choices);
    }

    /// <summary>The named recipe for such photographs, for images of this size.</summary>
    static Recipe OfPhotographs(ImageSurvey survey, ImageShape image, List<string> choices)
    {
        var small = Math.Max(image.Width, image.Height) <= 32;
        var name = survey.Train < Few ? "small-set" : image.Channels == 1 ? "grey-64" : small ? "photos-32" : "photos-64";
        var recipe = RecipeBook.Load(name).Recipe;
        var model = (SpatialVaeOptions)recipe.Model with { Image = image };
        if (small) model = model with { Depth = 8 };
        choices.Add($"{model.Kind} and its loss as in the recipe {name}: a grid of codes that keeps where things are, "
            + "and a pretrained network that judges what is seen");
        choices.Add($"{model.LatentSize} latents: {model.Depth} for each 8×8 pixels");
        return recipe with
        {
            Model = model,
            BatchSize = Math.Clamp(LargestPowerOf2(survey.Train / StepsOfAnEpoch), 2, recipe.BatchSize),
        };
    }

    /// <summary>Writing and drawings, and images too small to be photographs.</summary>
    static Recipe OfOthers(ImageSurvey survey, ImageShape image, bool isDrawing, List<string> choices)
    {
        LikelihoodOptions likelihood = isDrawing
            ? new BernoulliOptions()
            : new GaussianOptions { Low = -1, High = 1, Deviation = Deviation.Optimal };
        choices.Add(isDrawing
            ? string.Create(
                CultureInfo.InvariantCulture, $"likelihood bernoulli: {survey.Extremes:P0} of the values are black or white")
            : "likelihood gaussian: with the deviation that fits best, so that reconstruction and KL need no weights");
        var latents = Math.Clamp(image.Size / 16, 2, 32);
        choices.Add($"{latents} latents: as many as so small images need; those that carry nothing switch themselves off");
        var halvings = Halvings(image);
        choices.Add(halvings > 0
            ? $"conv-vae: {halvings} convolutions that halve the image"
            : $"mlp-vae: dense layers, since {image.Width}×{image.Height} is too small to be halved");
        return new()
        {
            Model = halvings > 0
                ? new ConvVaeOptions
                {
                    Image = image,
                    Likelihood = likelihood,
                    Channels = Stages[..halvings],
                    Hidden = 256,
                    Latent = latents,
                }
                : new MlpVaeOptions { Image = image, Likelihood = likelihood, Hidden = [256], Latent = latents },
            BatchSize = Math.Clamp(LargestPowerOf2(survey.Train / StepsOfAnEpoch), 8, LargestBatch),
            Optimizer = new AdamRecipe { LearningRate = 1e-3f },
            Averaging = 0.995f,
        };
    }

    /// <summary>How often both sides can be halved while 4 pixels are left.</summary>
    static int Halvings(ImageShape image)
    {
        var halvings = 0;
        for (var factor = 2; image.Width % factor == 0 && image.Height % factor == 0
            && Math.Min(image.Width, image.Height) / factor >= 4 && halvings < Stages.Length; factor *= 2) halvings++;
        return halvings;
    }

    /// <param name="multiple">What both sides must be a multiple of.</param>
    static (ImageShape Shape, string Why) Size(ImageSurvey survey, int multiple)
    {
        var (width, height, channels) = (survey.Width, survey.Height, survey.Coloured ? 3 : 1);
        var longer = Math.Max(width, height);
        if (survey.OneSize && longer <= LargestSide && width % multiple == 0 && height % multiple == 0)
            return (new(height, width, channels), "all that were looked at have this size");
        var side = longer >= 48 ? LargestSide : longer >= SmallestSide ? 32 : (longer + multiple - 1) / multiple * multiple;
        var ratio = Math.Min(width, height) / (double)longer;
        var shorter = ratio >= 0.8
            ? side
            : Math.Max(Math.Min(side, 2 * multiple), (int)Math.Round(side * ratio / multiple) * multiple);
        return (width >= height ? new(shorter, side, channels) : new(side, shorter, channels),
            $"{(survey.OneSize ? "all" : "half")} of those that were looked at have {width}×{height}"
            + (survey.OneSize ? "; " : " or more; ")
            + (longer > LargestSide
                ? $"more than {LargestSide} a side takes hours without a GPU"
                : $"both sides must be multiples of {multiple}"));
    }

    static int LargestPowerOf2(int atMost)
    {
        var power = 1;
        while (power * 2 <= atMost) power *= 2;
        return power;
    }
}
