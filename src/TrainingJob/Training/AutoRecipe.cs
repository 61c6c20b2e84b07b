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

    /// <summary>Larger images take too long without a GPU.</summary>
    const int LargestSide = 64;

    /// <summary>Channels of the stages, outermost first, as many of them as there are halvings.</summary>
    static readonly int[] Stages = [32, 64, 128, 192];

    const int FewestEpochs = 10, LargestBatch = 64, StepsOfAnEpoch = 20;

    /// <summary>A label of fewer images gives no concept.</summary>
    const int FewestOfALabel = 5;

    /// <summary>Makes a recipe for images.</summary>
    /// <param name="source">Where they are, which the recipe keeps.</param>
    public static AutoRecipe For(ImageSurvey survey, string source)
    {
        ArgumentNullException.ThrowIfNull(survey);
        List<string> choices = [];
        var image = new ImageShape(0, 0, survey.Coloured ? 3 : 1);
        (image, var why) = Size(survey, image.Channels);
        Choose($"images {image.Width}×{image.Height}, {(survey.Coloured ? "in colour" : "grey")}", why
            + (survey.Coloured ? "" : "; none has colours, whatever channels it has"));
        var likelihood = Likelihood(survey, out why);
        Choose($"likelihood {(likelihood is BernoulliOptions ? "bernoulli" : "gaussian")}", why);
        var latents = Latents(survey, image, out why);
        Choose($"{latents} latents", why);
        var model = Architecture(image, likelihood, latents, out why);
        Choose(model.Kind, why);

        var train = survey.Train;
        var batch = Math.Clamp(LargestPowerOf2(train / StepsOfAnEpoch), 8, LargestBatch);
        Choose($"batches of {batch}", batch == LargestBatch
            ? "as usual"
            : $"so that an epoch of {train:N0} images has some {Math.Max(1, train / batch)} steps");
        var steps = (train + batch - 1) / batch;
        var epochs = Math.Max(FewestEpochs, (FewestSteps + steps - 1) / steps);
        Choose($"{epochs:N0} epochs", epochs == FewestEpochs
            ? $"each image is seen {epochs} times, in {(long)epochs * steps:N0} steps"
            : $"of {steps:N0} steps each: {FewestSteps:N0} steps are the least that pictures need");
        if (survey.Labels is [var fewest, ..])
            Choose($"{survey.Labels.Count:N0} labels", fewest < FewestOfALabel
                ? $"they become concepts to edit by, but those {survey.Labels.Count(count => count < FewestOfALabel):N0} of fewer than "
                    + $"{FewestOfALabel} images, the fewest being {fewest}: add images to them"
                : "they become concepts to edit by; \"classes\" in the recipe's model would condition it on them");

        return new(new()
        {
            Description = string.Create(CultureInfo.InvariantCulture,
                $"Made for {survey.Images:N0} images of {source}, most of them {survey.Width}×{survey.Height}."),
            Model = model,
            Data = source,
            BatchSize = batch,
            Epochs = epochs,
            Optimizer = new AdamRecipe { LearningRate = 1e-3f, Schedule = new CosineRate { Final = 0.03, WarmUp = 100.0 / steps } },
            Averaging = 0.995f,
            PicturesEvery = Math.Max(1, epochs / 10),
        }, choices);

        void Choose(string what, string because) => choices.Add($"{what}: {because}");
    }

    /// <summary>The one place that knows which architecture photographs get.</summary>
    static ModelOptions Architecture(ImageShape image, LikelihoodOptions likelihood, int latents, out string why)
    {
        var halvings = Halvings(image);
        if (halvings == 0)
        {
            why = $"dense layers, since {image.Width}×{image.Height} cannot be halved";
            return new MlpVaeOptions { Image = image, Likelihood = likelihood, Hidden = [512, 256], Latent = latents };
        }
        why = $"{halvings} convolutions that halve the image, the usual network for pictures of this size";
        return new ConvVaeOptions
        {
            Image = image,
            Likelihood = likelihood,
            Channels = Stages[..halvings],
            Hidden = 256,
            Latent = latents,
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

    static (ImageShape Shape, string Why) Size(ImageSurvey survey, int channels)
    {
        var (width, height) = (survey.Width, survey.Height);
        var longer = Math.Max(width, height);
        if (survey.OneSize && longer <= LargestSide && width % 4 == 0 && height % 4 == 0)
            return (new(height, width, channels), "all have this size");
        var side = longer < 48 ? 32 : LargestSide;
        var ratio = Math.Min(width, height) / (double)longer;
        var shorter = ratio >= 0.8 ? side : Math.Max(side / 2, (int)Math.Round(side * ratio / 16) * 16);
        var shape = width >= height ? new ImageShape(shorter, side, channels) : new ImageShape(side, shorter, channels);
        return (shape, $"{(survey.OneSize ? "all" : "half of them")} are {width}×{height}{(survey.OneSize ? "" : " or larger")}; "
            + (longer > LargestSide ? $"more than {LargestSide} a side takes hours without a GPU" : "this size is the next that can be halved"));
    }

    static LikelihoodOptions Likelihood(ImageSurvey survey, out string why)
    {
        if (!survey.Coloured && survey.Extremes > 0.8)
        {
            why = string.Create(CultureInfo.InvariantCulture, $"{survey.Extremes:P0} of the pixels are black or white");
            return new BernoulliOptions();
        }
        why = "with the deviation that fits best, so that reconstruction and KL need no weights";
        return new GaussianOptions { Low = -1, High = 1, Deviation = Deviation.Optimal };
    }

    static int Latents(ImageSurvey survey, ImageShape image, out string why)
    {
        var most = Math.Max(2, image.Size / 16);
        var latents = Math.Min(most, survey.Images < 1000 ? 32 : image.Size > 32 * 32 * 3 && survey.Images >= 5000 ? 128 : 64);
        why = latents == most ? "as many as so small images need"
            : survey.Images < 1000 ? $"{survey.Images:N0} images do not teach more"
            : $"for {survey.Images:N0} images of this size; those that carry nothing switch themselves off";
        return latents;
    }

    static int LargestPowerOf2(int atMost)
    {
        var power = 1;
        while (power * 2 <= atMost) power *= 2;
        return power;
    }
}
